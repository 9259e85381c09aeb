"""A training that is taken up again ends as if it was never stopped."""

import signal

import numpy as np
import pytest
from training_cases import OPTIONS, STEPS, X, Y, fit, make, same

from minicnn import callbacks, seeds
from minicnn.callbacks import LambdaCallback
from minicnn.data import ArrayDataset
from minicnn.layers import GRU, Bidirectional, Conv2D, Dense, GaussianNoise, GlobalAveragePooling2D, Input
from minicnn.losses import SparseCategoricalCrossentropy
from minicnn.models import Sequential
from minicnn.optimizers import SGD, Adam
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize("save_freq", [1, 2, 4, "epoch"])
@pytest.mark.parametrize("steps", [1, 3, STEPS, STEPS + 2, 3 * STEPS])
def test_it_ends_as_if_it_was_never_stopped(tmp_path, whole, steps, save_freq):
    folder = tmp_path / "backup"
    assert fit(make(), folder, stop=(steps,), save_freq=save_freq) is None
    model, random = make(), []
    history = fit(model, folder, save_freq=save_freq)
    assert same(model, whole[0])
    assert history.history == whole[1].history
    assert history.epoch == [0, 1, 2]
    for state in (whole[0], model):
        state.evaluate(X, Y)
        random.append(state.optimizer.state())
    assert all(random[0][key].tobytes() == random[1][key].tobytes() for key in random[0])
    assert not folder.exists(), "what was to be kept until the end is removed then"


@pytest.mark.parametrize("hook", ["on_test_batch_end", "on_epoch_end"])
def test_wherever_it_is_stopped(tmp_path, whole, hook):
    assert fit(make(), tmp_path, stop=(STEPS + 1, hook)) is None
    model = make()
    assert fit(model, tmp_path).history == whole[1].history
    assert same(model, whole[0])


def test_it_may_be_stopped_often(tmp_path, whole):
    for _ in range(7):
        assert fit(make(), tmp_path, stop=(2,)) is None
    model = make()
    fit(model, tmp_path)
    assert same(model, whole[0])


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_test_batch_end", "on_epoch_end"])
def test_ctrl_c_loses_nothing(tmp_path, whole, hook):
    steps = []

    def press(*_):
        steps.append(hook)
        if len(steps) == {"on_train_batch_end": STEPS + 1, "on_test_batch_end": 6, "on_epoch_end": 2}[hook]:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(make(), tmp_path, LambdaCallback(**{hook: press}), save_freq=1000)
    finally:
        signal.signal(signal.SIGINT, before)
    begun = []
    model = make()
    history = fit(model, tmp_path, LambdaCallback(on_train_batch_begin=lambda batch, logs: begun.append(batch)))
    assert same(model, whole[0])
    assert history.history == whole[1].history
    done = {"on_train_batch_end": STEPS + 1, "on_test_batch_end": 3 * STEPS, "on_epoch_end": 2 * STEPS}[hook]
    assert len(begun) == 3 * STEPS - done


def test_it_goes_on_in_the_same_process_too(tmp_path, whole):
    model = make()
    assert fit(model, tmp_path, stop=(STEPS + 3,)) is None
    fit(model, tmp_path)
    assert same(model, whole[0])


def test_later_random_streams_are_the_same_too(tmp_path):
    make().fit(X, Y, **OPTIONS)
    expected = seeds.new_seed()
    fit(make(), tmp_path, stop=(7,))
    seeds.set_random_seed(99)  # what the process drew before does not matter
    model = make()
    seeds.set_random_seed(98)
    fit(model, tmp_path)
    assert seeds.new_seed() == expected


def test_models_in_float64(tmp_path):
    expected = make(dtype="float64")
    expected.fit(X, Y, **OPTIONS)
    fit(make(dtype="float64"), tmp_path, stop=(8,))
    model = make(dtype="float64")
    fit(model, tmp_path)
    assert model.get_weights()[0].dtype == np.float64
    assert same(model, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": False},
        {"class_weight": {0: 2.0, 1: 0.5}},
        {"validation_data": None, "validation_split": 0.2},
        {"sample_weight": np.linspace(0, 1, 22)},
        {"validation_freq": 2},
        {"initial_epoch": 1},
    ],
)
def test_with_other_arguments_of_fit(tmp_path, options):
    expected = make()
    history = expected.fit(X, Y, **{**OPTIONS, **options})
    fit(make(), tmp_path, stop=(4,), save_freq=3, **options)
    model = make()
    assert fit(model, tmp_path, save_freq=3, **options).history == history.history
    assert same(model, expected)


def test_a_dataset_and_a_list_of_batches_go_on_where_they_were(tmp_path):
    batches = [(X[i : i + 5], Y[i : i + 5]) for i in range(0, 22, 5)]
    for number, data in enumerate((ArrayDataset(X, Y), batches)):
        expected = make()
        expected.fit(data, **OPTIONS)
        fit(make(), tmp_path / str(number), stop=(8,), x=data, y=None)
        model = make()
        fit(model, tmp_path / str(number), x=data, y=None)
        assert same(model, expected)


class Changing:
    """Batches that are others in every epoch, and say how many epochs there were."""

    def __init__(self):
        self.epoch = 0

    def __iter__(self):
        self.epoch += 1
        for i in range(0, 22, 5):
            yield X[i : i + 5] * self.epoch, Y[i : i + 5]

    def state(self):
        return {"epoch": self.epoch}

    def load_state(self, state):
        self.epoch = state["epoch"]


def test_data_that_differs_by_epoch_may_have_a_state(tmp_path):
    expected = make()
    expected.fit(Changing(), **OPTIONS)
    for stop in ((STEPS + 3,), (2 * STEPS, "on_epoch_end")):
        folder = tmp_path / str(stop[0])
        fit(make(), folder, stop=stop, x=Changing(), y=None, save_freq=1)
        model = make()
        fit(model, folder, x=Changing(), y=None, save_freq=1)
        assert same(model, expected)


def test_a_generator_is_warned_of_and_goes_on_with_what_it_gives(tmp_path):
    def generator():
        while True:
            yield X[:5], Y[:5]

    for stop in ((3,), None):
        with pytest.warns(UserWarning, match="a generator's position cannot be kept"):
            history = fit(make(), tmp_path, stop=stop, x=generator(), y=None, steps_per_epoch=4)
    assert len(history.history["loss"]) == 3


def test_layers_that_were_unfrozen_and_rates_that_were_changed(tmp_path):
    def unfreeze(epoch, logs):
        if epoch == 1:
            model.layers[0].trainable = True

    def run(stop=None):
        nonlocal model
        model = make(SGD(0.1, momentum=0.9))
        model.layers[0].trainable = False
        others = [LambdaCallback(on_epoch_begin=unfreeze), callbacks.LearningRateScheduler(lambda e, rate: rate * 0.7)]
        fit(model, tmp_path / "kept" if stop != 0 else tmp_path / "whole", *others, stop=stop or None, epochs=4)
        return model

    model = None
    expected = run(0)
    run((2 * STEPS + 3,))
    assert same(run(), expected)
    assert model.layers[0].trainable


def test_layers_in_models_and_wrappers_draw_on(tmp_path):
    def run(stop=None, folder="kept"):
        set_random_seed(0)
        inner = Sequential([Input((5, 10)), GaussianNoise(0.1)])
        model = Sequential([Input((5, 10)), inner, Bidirectional(GRU(2, dropout=0.3, recurrent_dropout=0.2)), Dense(3)])
        model.compile("adam", SparseCategoricalCrossentropy(from_logits=True))
        options = {"x": X.reshape(22, 5, 10), "validation_data": None}
        fit(model, tmp_path / folder, stop=stop, **options)
        return model

    expected = run(folder="whole")
    run((STEPS + 3,))
    assert same(run(), expected)


class Augmented(ArrayDataset):
    """Samples that are others in each epoch, which `fit` tells."""

    varies, epoch = True, -1

    def begin_epoch(self, epoch):
        self.epoch = epoch

    def batches(self, batch_size, order=None):
        return ((x * (1 + self.epoch), y) for x, y in super().batches(batch_size, order))


def test_a_dataset_is_told_the_epoch(tmp_path):
    expected = make()
    expected.fit(Augmented(X, Y), **OPTIONS)
    fit(make(), tmp_path, stop=(STEPS + 3,), x=Augmented(X, Y), y=None)
    model = make()
    fit(model, tmp_path, x=Augmented(X, Y), y=None)
    assert same(model, expected)


def test_frozen_layers_are_computed_anew(tmp_path):
    def run(stop=None, folder="kept"):
        set_random_seed(0)
        base = Sequential([Input((5, 5, 2)), Conv2D(8, 3, activation="relu")])
        base.trainable = False
        model = Sequential([base, GlobalAveragePooling2D(), Dense(3, activation="softmax")])
        model.compile(Adam(0.01), "sparse_categorical_crossentropy")
        fit(model, tmp_path / folder, stop=stop)
        return model

    expected = run(folder="whole")
    run((STEPS + 3,))
    assert same(run(), expected)
