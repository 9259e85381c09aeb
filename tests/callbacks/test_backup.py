"""A training that is taken up again: it ends as if it was never stopped, or is refused."""

import re
import signal

import numpy as np
import pytest
from training_cases import OPTIONS, STEPS, Crash, StopAt, X, Y, make, same

from minicnn import callbacks, seeds, training
from minicnn.callbacks import BackupAndRestore, Callback, CSVLogger, EarlyStopping, History, LambdaCallback
from minicnn.data import ArrayDataset
from minicnn.errors import ArgumentError, FileAccessError, FileFormatError, GraphError, WeightsMismatchError
from minicnn.layers import GRU, Bidirectional, Conv2D, Dense, GaussianNoise, GlobalAveragePooling2D, Input
from minicnn.losses import SparseCategoricalCrossentropy
from minicnn.metrics import Metric
from minicnn.models import Sequential
from minicnn.optimizers import SGD, Adam
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only


def fit(model, folder, *others, stop=None, save_freq=2, x=X, y=Y, backup=None, **options):
    """Train with checkpoints, until `stop` (steps, hook) if there is one; the history, or None if it was stopped."""
    last = [] if stop is None else [StopAt(*stop)]
    backup = backup or BackupAndRestore(folder, save_freq)
    try:
        return model.fit(x, y, callbacks=[backup, *others, *last], **{**OPTIONS, **options})
    except Crash:
        return None


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def whole():
    """A training that was never stopped, and its history."""
    model = make()
    return model, model.fit(X, Y, **OPTIONS)


# The end is the same


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
    fit(model, tmp_path, LambdaCallback(on_train_batch_begin=lambda batch, logs: begun.append(batch)))
    assert same(model, whole[0])
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
        return ((x * (1 + self.epoch), y) for x, y in super(Augmented, self).batches(batch_size, order))


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


# What callbacks remember


def test_callbacks_go_on_with_what_they_remember(tmp_path):
    def run(folder, stop=None):
        others = [
            EarlyStopping("val_loss", patience=1, restore_best_weights=True),
            callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1.0),
            CSVLogger(tmp_path / "log.csv"),
            callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", save_best_only=True, save_weights_only=True),
        ]
        model = make(SGD(0.5))
        return model, fit(model, folder, *others, stop=stop, epochs=8)

    expected, history = run(tmp_path / "whole")
    assert 1 < len(history.epoch) < 8
    log, best = (tmp_path / "log.csv").read_text(), make()
    best.load_weights(tmp_path / "best.weights.h5")
    for stop in (STEPS + 2, len(history.epoch) * STEPS):
        folder = tmp_path / str(stop)
        run(folder, (stop,))
        model, again = run(folder)
        assert again.history == history.history
        assert same(model, expected)
        assert (tmp_path / "log.csv").read_text() == log
        model.load_weights(tmp_path / "best.weights.h5")
        assert same(model, best)


def test_a_callback_of_a_user_may_have_a_state(tmp_path):
    class Count(Callback):
        count = 0

        def on_train_begin(self, logs=None):
            self.count = 0

        def on_train_batch_end(self, batch, logs=None):
            self.count += 1

        def state(self):
            return {"count": self.count}

        def load_state(self, state):
            self.count = state["count"]

    fit(make(), tmp_path, Count(), stop=(7,))
    count = Count()
    fit(make(), tmp_path, count)
    assert count.count == 3 * STEPS


def test_an_attribute_named_state_is_no_state(tmp_path):
    callback = LambdaCallback()
    callback.state = "busy"
    assert len(fit(make(), tmp_path, callback).epoch) == 3


def test_what_cannot_be_kept_is_refused_before_training(tmp_path):
    class Odd(Callback):
        def state(self):
            return {"seen": {1, 2}}

    class OddMetric(Metric):
        def reset_state(self):
            self.seen = set()

    model = make()
    before = model.get_weights()[0]
    with pytest.raises(ArgumentError, match=r"fit\.callbacks\[\d\]\[1\]\.seen is set, which cannot be kept"):
        fit(model, tmp_path, Odd())
    with pytest.raises(ArgumentError, match=r"fit\.metrics\[0\]\.seen is set"):
        fit(make(metrics=[OddMetric("odd")]), tmp_path)
    other = Sequential([Input((2,)), Dense(1)])
    model.optimizer.build(other.weights)
    with pytest.raises(GraphError, match="has state of weights of another model"):
        fit(model, tmp_path)
    assert (model.get_weights()[0] == before).all()
    with pytest.raises(ArgumentError, match="one BackupAndRestore keeps all there is; there are 2"):
        fit(make(), tmp_path, BackupAndRestore(tmp_path / "other"))


# The end of a training


def test_a_training_that_is_over_is_read_when_it_is_kept(tmp_path, whole, capsys):
    def run(**options):
        model = make()
        return model, fit(model, tmp_path, backup=BackupAndRestore(tmp_path, delete_checkpoint=False), **options)

    run()
    assert files(tmp_path) == ["epoch00002-step000000.safetensors", "epoch00003-step000000.safetensors", "lock"]
    begun = LambdaCallback(on_train_batch_begin=pytest.fail)
    model = make()
    history = fit(model, tmp_path, begun, backup=BackupAndRestore(tmp_path, delete_checkpoint=False), verbose=2)
    assert re.fullmatch(
        r"nothing is left to train after 3 epochs \(.*3-step000000\.safetensors\)\n", capsys.readouterr().out
    )
    assert same(model, whole[0])
    assert history.history == whole[1].history
    longer, expected = run(epochs=5)[0], make()
    expected.fit(X, Y, **{**OPTIONS, "epochs": 5})
    assert same(longer, expected), "more epochs go on from there"


def test_a_training_that_a_callback_ended_stays_so(tmp_path):
    def run(**options):
        model, stop = make(), EarlyStopping("loss", patience=0, min_delta=9.0, restore_best_weights=True)
        return model, fit(model, tmp_path, stop, backup=BackupAndRestore(tmp_path, delete_checkpoint=False), **options)

    expected, history = run()
    assert history.epoch == [0, 1]
    again, longer = run(epochs=9)
    assert longer.history == history.history
    assert same(again, expected)


def test_stages_follow_each_other_with_a_folder_for_each(tmp_path):
    def run(folder, stop=None):
        model = make()
        backup = BackupAndRestore(folder / "1", delete_checkpoint=False)
        fit(model, folder, backup=backup, stop=stop if stop and stop[0] < 100 else None)
        model.layers[0].trainable = False
        model.compile(SGD(0.01), "sparse_categorical_crossentropy")
        fit(model, folder, backup=BackupAndRestore(folder / "2", 1, delete_checkpoint=False),
            stop=(stop[0] - 100,) if stop else None)  # fmt: skip
        return model

    expected = run(tmp_path / "whole")
    run(tmp_path / "kept", (107,))
    assert same(run(tmp_path / "kept"), expected)


# What is kept


def test_the_last_ones_and_the_best_are_kept(tmp_path):
    values = iter([3.0, 1.0, 2.0, 2.5, 2.6])
    figure = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(figure=next(values)))
    weights = {}
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.update({epoch: model.get_weights()}))
    backup = BackupAndRestore(tmp_path, "epoch", delete_checkpoint=False, keep=2, monitor="figure", mode="min")
    model = make()
    fit(model, tmp_path, figure, note, backup=backup, epochs=5)
    assert files(tmp_path)[:-1] == [f"epoch0000{n}-step000000.safetensors" for n in (2, 4, 5)]
    other = make()
    assert training.load_weights(other, tmp_path, best=True).name == "epoch00002-step000000.safetensors"
    assert all((a == b).all() for a, b in zip(other.get_weights(), weights[1]))
    assert training.load_weights(other, tmp_path).name == "epoch00005-step000000.safetensors"
    assert same(other, model)
    assert other.optimizer.iterations == 0


def test_with_a_number_of_steps_the_best_epoch_is_kept_too(tmp_path):
    backup = BackupAndRestore(tmp_path, 1000, delete_checkpoint=False, monitor="val_loss")
    history = fit(make(), tmp_path, backup=backup)
    best = int(np.argmin(history.history["val_loss"])) + 1
    assert {f"epoch0000{n}-step000000.safetensors" for n in (best, 3)} < set(files(tmp_path))
    with pytest.raises(ArgumentError, match="BackupAndRestore: there is no figure 'val_los' to monitor"):
        fit(make(), tmp_path, backup=BackupAndRestore(tmp_path / "other", monitor="val_los"))


def test_one_checkpoint_alone_where_it_is_asked_for(tmp_path):
    fit(make(), tmp_path, backup=BackupAndRestore(tmp_path, 1, double_checkpoint=False, delete_checkpoint=False))
    assert files(tmp_path) == ["epoch00003-step000000.safetensors", "lock"]


# Damage


def damage(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def test_of_a_damaged_checkpoint_the_one_before_is_taken(tmp_path, whole):
    fit(make(), tmp_path, stop=(8,))
    damage(tmp_path / "epoch00001-step000001.safetensors")
    model = make()
    with pytest.warns(
        UserWarning, match=r"epoch00001-step000001\.safetensors cannot be read: .* the one before it is taken"
    ):
        fit(model, tmp_path)
    assert same(model, whole[0])


def test_damaged_checkpoints_do_not_count_among_the_last(tmp_path):
    fit(make(), tmp_path, stop=(8,))
    damage(tmp_path / "epoch00001-step000001.safetensors")
    with pytest.warns(UserWarning, match="cannot be read"):
        fit(make(), tmp_path, stop=(1, "on_epoch_end"), save_freq=1)
    assert files(tmp_path) == ["epoch00000-step000004.safetensors", "epoch00000-step000005.safetensors", "lock"]


def test_where_all_are_damaged_nothing_is_begun(tmp_path):
    fit(make(), tmp_path, stop=(8,))
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:100])
    with (
        pytest.warns(UserWarning, match="cannot be read"),
        pytest.raises(FileFormatError, match="none of the 2 checkpoints"),
    ):
        fit(make(), tmp_path)


# Refusals


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 6}, "with batch_size 5, now it is 6"),
        ({"shuffle": False}, "with shuffle True, now it is False"),
        ({"x": X[:20], "y": Y[:20]}, r"with training data 22 samples of .* now it is 20 samples"),
        ({"x": X + 1}, r"with training data 22 samples of .*, now it is 22 samples"),
        ({"validation_data": (X[:6], Y[:6])}, r"with validation data 7 samples"),
        ({"validation_data": None}, r"with validation data 7 samples .*, now it is None"),
        ({"class_weight": {0: 2}}, r"with class_weight None, now it is \{'0': 2\}"),
        ({"optimizer": SGD(0.1)}, "with optimizer class Adam, now it is SGD"),
        ({"optimizer": Adam(0.1)}, r"with optimizer learning_rate .*, now it is 0\.1"),
        ({"metrics": ["accuracy"]}, "with metrics"),
        ({"units": 4}, r"with model 5 layers with 203 weights \w+, now it is 5 layers with 240 weights"),
        ({"settings": {"rate": 2}}, "with rate 1, now it is 2"),
        ({"others": [EarlyStopping("loss")]}, "with callbacks"),
    ],
)
def test_another_training_is_refused(tmp_path, change, said):
    made = {key: change.pop(key) for key in ("optimizer", "metrics", "units") if key in change}
    settings, others = change.pop("settings", {"rate": 1}), change.pop("others", [])
    fit(make(), tmp_path, stop=(4,), backup=BackupAndRestore(tmp_path, 2, settings={"rate": 1}))
    before = {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    model = make(**made)
    weights, options = model.get_weights()[0], {"x": X, "y": Y, **change}
    with pytest.raises(WeightsMismatchError, match=f"{re.escape(str(tmp_path))} holds a training {said}") as caught:
        fit(model, tmp_path, *others, backup=BackupAndRestore(tmp_path, 2, settings=settings), **options)
    assert "\n" not in str(caught.value)
    assert (model.get_weights()[0] == weights).all()
    assert before == {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}


def test_other_layers_trained_are_refused(tmp_path):
    fit(make(), tmp_path, stop=(4,))
    model = make()
    model.layers[0].trainable = False
    with pytest.raises(WeightsMismatchError, match=r"with trained weights 6 of 8 arrays \w+, now it is 4 of 8"):
        fit(model, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"backup_dir": ""}, "backup_dir must be the name of a folder"),
        ({"save_freq": 0}, "save_freq must be a whole number of at least 1"),
        ({"save_freq": "batch"}, "save_freq must be a whole number"),
        ({"keep": 0}, "keep must be a whole number of at least 1"),
        ({"delete_checkpoint": "no"}, "delete_checkpoint must be True or False"),
    ],
)
def test_arguments(arguments, said):
    with pytest.raises(ArgumentError, match=f"BackupAndRestore: {said}"):
        BackupAndRestore(**{"backup_dir": "backup", **arguments})


def test_a_folder_that_is_none_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    model = make()
    before = model.get_weights()[0]
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileAccessError, match=r"file.* cannot be made"):
            fit(model, folder)
    assert (model.get_weights()[0] == before).all()


def test_what_cannot_be_written_is_told_once_and_training_goes_on(tmp_path, whole):
    resource = pytest.importorskip("resource")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(epoch, logs):  # of the size of files, as a full disk has one
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, usual[1]) if epoch == 1 else usual)

    model = make()
    try:
        with pytest.warns(UserWarning, match=r"no checkpoint: .* cannot be written: File too large") as caught:
            fit(model, tmp_path, LambdaCallback(on_epoch_begin=limit),
                backup=BackupAndRestore(tmp_path, 1, delete_checkpoint=False))  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert len(caught) == 1
    assert "the last one is" in str(caught[0].message)
    assert "training goes on" in str(caught[0].message)
    assert same(model, whole[0])
    assert files(tmp_path) == ["epoch00002-step000005.safetensors", "epoch00003-step000000.safetensors", "lock"]


def test_a_figure_that_cannot_be_kept_costs_the_checkpoint_and_not_the_training(tmp_path):
    odd = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(odd=object()))
    with pytest.warns(UserWarning, match="no checkpoint: .*odd.* is object, which cannot be kept.*; training goes on"):
        assert len(fit(make(), tmp_path, odd, save_freq="epoch").epoch) == 3


def test_a_second_training_in_the_folder_is_refused(tmp_path):
    def second(batch, logs):
        with pytest.raises(FileAccessError, match="is in use by another training"):
            fit(make(), tmp_path)

    fit(make(), tmp_path, LambdaCallback(on_train_batch_end=second), epochs=1)


def test_what_was_read_does_not_stay_in_memory(tmp_path):
    fit(make(), tmp_path, stop=(4,))
    backup = BackupAndRestore(tmp_path)
    held = []
    fit(make(), tmp_path, LambdaCallback(on_epoch_end=lambda epoch, logs: held.append(backup._found)), backup=backup)
    assert held == [None] * 3


def test_files_of_others_in_its_name_count_as_damaged(tmp_path, whole):
    fit(make(), tmp_path, stop=(4,))
    training.write_state(tmp_path / "epoch00009-step000000.safetensors", {"position": {}})
    model = make()
    with pytest.warns(UserWarning, match="is no checkpoint of a training; the one before it is taken"):
        fit(model, tmp_path)
    assert same(model, whole[0])


@pytest.mark.parametrize("key", ["model", "sources", "metrics", "callbacks"])
def test_a_checkpoint_that_says_what_cannot_be_is_refused(tmp_path, key):
    fit(make(), tmp_path, stop=(4,))
    for path in tmp_path.glob("*.safetensors"):
        training.write_state(path, training.read_state(path) | {key: {"weights": 3, "data": [1, 2, 3]}})
    with pytest.raises(FileFormatError, match=r"step000004\.safetensors holds no state of this training"):
        fit(make(), tmp_path)


# For programs


def test_resumable_sets_the_seed_and_says_what_may_go_on(tmp_path):
    def train(resume, seed=5, rate=0.01, stop=None, folder="run"):
        backup = callbacks.resumable(tmp_path / folder, seed=seed, every=2, resume=resume, settings={"rate": rate})
        model = Sequential([Input((5, 5, 2)), GlobalAveragePooling2D(), Dense(3, activation="softmax")])
        model.compile(SGD(rate), "sparse_categorical_crossentropy")
        fit(model, tmp_path, backup=backup, stop=stop)
        return model

    expected = train(resume=True, folder="whole")
    train(resume=False, stop=(7,))
    with pytest.raises(
        FileAccessError, match=r"run holds the checkpoints of a training, the last .* resume it, or take"
    ):
        train(resume=False)
    with pytest.raises(WeightsMismatchError, match="with seed 5, now it is 6"):
        train(resume=True, seed=6)
    with pytest.raises(WeightsMismatchError, match=r"with rate 0\.01, now it is 0\.02"):
        train(resume=True, rate=0.02)
    assert same(train(resume=True), expected)
    assert same(train(resume=True), expected), "what is finished is read"


def test_weights_of_a_checkpoint_of_another_model_are_refused(tmp_path):
    fit(make(), tmp_path, stop=(3,))
    with pytest.raises(WeightsMismatchError, match="has the weights of 5 layers with 203 weights"):
        training.load_weights(make(units=4), tmp_path)
    with pytest.raises(FileAccessError, match=r"no checkpoint in .* is known as the best"):
        training.load_weights(make(), tmp_path, best=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileAccessError, match="there are no checkpoints in"):
        training.load_weights(make(), tmp_path / "empty")


def test_a_history_that_is_given_is_filled(tmp_path):
    fit(make(), tmp_path, stop=(8,))
    history = History()
    assert fit(make(), tmp_path, history) is history
    assert history.epoch == [0, 1, 2]
