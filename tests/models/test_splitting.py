"""Where a model is cut for training, what is kept of its beginning, and when its choices are read anew."""

from collections.abc import Callable

import numpy as np
import pytest

from minicnn import kernels
from minicnn import layers as L
from minicnn.models import Model, Sequential, features
from minicnn.seeds import set_random_seed

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(("mode", "fixed"), [(False, 1), (None, 0)])
def test_a_call_that_is_inference_for_good_belongs_to_the_prefix(mode, fixed):
    x = L.Input((3,))
    inner = Sequential([L.Input((3,)), L.Dropout(0.5)])
    prefix, _ = Model(x, L.Dense(1)(inner(x, training=mode))).program.split()
    assert len(prefix.calls) == fixed


def test_a_sequential_that_changes_reads_its_choices_anew():
    model = Sequential([L.Input((3,)), L.Dense(2, name="a")])
    model.compile("sgd", "mse")
    assert model.compilation.output_names == ["a"]
    model.add(L.Dense(2, name="b"))
    assert model.compilation.output_names == ["b"]
    model.pop()
    assert model.compilation.output_names == ["a"]


def frozen(units: int = 3) -> Sequential:
    """A model whose first two layers are a prefix."""
    set_random_seed(5)
    layers = [L.Dense(4, trainable=False), L.BatchNormalization(trainable=False), L.Dense(4), L.Dropout(0), L.Dense(1)]
    model = Sequential([L.Input((units,)), *layers])
    model.compile("sgd", "mse")
    return model


def step(model: Sequential, samples: int = 5) -> float:
    x = np.random.default_rng(samples).standard_normal((samples, *model.input_shape[1:])).astype(np.float32)
    return model.train_on_batch(x, x[:, :1])[0]


def thaw(model: Sequential) -> None:
    model.layers[1].trainable = True


def freeze(model: Sequential) -> None:
    model.layers[2].trainable = False


def change_an_option(model: Sequential) -> None:
    model.layers[0].activation = "relu"


def add(model: Sequential) -> None:
    model.add(L.Dense(1))


def replace_weights(model: Sequential) -> None:
    model.layers[0].build(model.input_shape)


def set_weights(model: Sequential) -> None:
    model.set_weights([weight + 0.125 for weight in model.get_weights()])


@pytest.fixture
def made(monkeypatch) -> list[features.SplitProgram]:
    """All splits that are made."""
    splits: list[features.SplitProgram] = []
    make = features.SplitProgram.__init__
    monkeypatch.setattr(
        features.SplitProgram, "__init__", lambda self, *given: splits.append(self) or make(self, *given)
    )
    return splits


@pytest.mark.parametrize("change", [thaw, freeze, change_an_option, add, replace_weights, set_weights])
def test_single_steps_keep_a_split_until_what_it_depends_on_changes(change: Callable[[Sequential], None], made):
    model, fresh = frozen(), frozen()
    losses: list[list[float]] = [[], []]
    for number in range(6):
        if number == 3:
            change(model)
            set_random_seed(1)  # of what the change may have drawn, here and there
            change(fresh)
        if number == 3 and change in (add, replace_weights):
            fresh.set_weights(model.get_weights())
        losses[0].append(step(model))
        fresh._splits.clear()
        losses[1].append(step(fresh))
    assert losses[0] == losses[1]
    assert len({*losses[0]}) == 6
    assert len(made) == 6 + (1 if change is set_weights else 2)


def test_single_steps_keep_the_splits_of_several_shapes(made):
    model = Sequential(
        [L.Input((None, None, 1)), L.Conv2D(2, 1, trainable=False), L.GlobalAveragePooling2D(), L.Dense(1)]
    )
    model.compile("sgd", "mse")
    for side in (4, 5, 4, 5):
        model.train_on_batch(np.ones((2, side, side, 1), np.float32), np.ones((2, 1)))
    assert len(made) == 2


def test_rungs_that_are_asked_for_count_in_kept_splits(made):
    model = frozen()
    for _ in range(2):
        step(model)
        with kernels.use("dense", "reference"), kernels.record() as calls:
            step(model)
        assert {rung for op, _, rung in calls if op == "dense"} == {"reference"}


def test_a_training_lets_go_of_the_splits_of_single_steps(made):
    model = frozen()
    step(model)
    model.fit(np.ones((4, 3), np.float32), np.ones((4, 1)), epochs=2, verbose=0)
    assert not model._splits._made
    assert len(made) == 2
