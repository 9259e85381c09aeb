"""model.dense_storage: prediction with dense weights in fewer bits, and all that must not change with it."""

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import ArgumentError
from minicnn.kernels import dense
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input
from minicnn.models import Model, Sequential, load_model
from minicnn.optimizers import SGD
from minicnn.transfer.features import model_hash

pytestmark = pytest.mark.numpy_only
REDUCED = dense.STORAGES[1:]


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


def make(rounded: str | None = None) -> Sequential:
    """A small network whose weights are always the same, or those of its dense layers as a storage rounds them."""
    convolution = Conv2D(4, 3, activation="relu", name="conv")
    model = Sequential([Input((6, 6, 3)), convolution, Flatten(), Dense(20, activation="relu"), Dense(5)])
    for layer in model.layers:
        weights = [normal(*weight.shape) for weight in layer.weights]
        if rounded and isinstance(layer, Dense):
            weights[0] = dense.restored(dense.store(weights[0], rounded), np.dtype(np.float32))
        layer.set_weights(weights)
    return model


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


@pytest.mark.parametrize("storage", REDUCED)
def test_predictions_are_those_of_rounded_weights(storage):
    model, x = make(), normal(3, 6, 6, 3)
    full = model.predict(x)
    model.dense_storage = storage
    found = model.predict(x)
    assert distance(found, make(storage).predict(x)) < 1e-6
    assert 1e-4 < distance(found, full) < 3e-2
    model.dense_storage = "float32"
    np.testing.assert_array_equal(model.predict(x), full)


def test_it_is_off_by_default_and_no_file_keeps_it(tmp_path):
    model, x = make(), normal(3, 6, 6, 3)
    assert model.dense_storage == "float32"
    full, config = model.predict(x), model.to_json()
    model.dense_storage = "int8"
    assert model.to_json() == config
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert again.dense_storage == "float32"
    np.testing.assert_array_equal(again.predict(x), full)


def test_training_and_its_validation_do_not_see_it():
    x, y = normal(8, 6, 6, 3), np.arange(8) % 5
    histories, weights = [], []
    for storage in dense.STORAGES:
        model = make()
        model.get_layer("conv").trainable = False
        model.dense_storage = storage
        model.compile(SGD(1e-5), "mse")
        targets = np.eye(5, dtype=np.float32)[y]
        history = model.fit(x, targets, epochs=2, shuffle=False, verbose=0, validation_data=(x, targets))
        histories.append(history.history)
        weights.append(model.layers[-1].get_weights()[0])
    assert np.isfinite(histories[0]["val_loss"]).all()
    assert histories[1] == histories[2] == histories[0]
    np.testing.assert_array_equal(weights[1], weights[0])
    np.testing.assert_array_equal(weights[2], weights[0])


@pytest.mark.parametrize("storage", REDUCED)
def test_evaluate_sees_it_and_so_do_new_weights(storage):
    model, x, y = make(), normal(3, 6, 6, 3), normal(3, 5)
    model.compile("sgd", "mse")
    full = model.evaluate(x, y)
    model.dense_storage = storage
    assert model.evaluate(x, y) == pytest.approx(make_evaluated(storage, x, y), rel=1e-5)
    assert model.evaluate(x, y) != full
    model.layers[-1].set_weights([np.zeros((20, 5)), np.arange(5)])
    np.testing.assert_array_equal(model.predict(x), np.tile(np.arange(5), (3, 1)))


def make_evaluated(storage: str, x: np.ndarray, y: np.ndarray) -> float:
    """The loss of a model with rounded weights."""
    model = make(storage)
    model.compile("sgd", "mse")
    return model.evaluate(x, y)


def test_what_is_folded_into_weights_is_stored_with_them():
    x = Input((7,))
    model = Model(x, BatchNormalization()(Dense(5)(x)))
    model.layers[-1].set_weights([normal(5) + 3, normal(5), normal(5), np.abs(normal(5)) + 1])
    x, full = normal(4, 7), model.predict(normal(4, 7))
    model.dense_storage = "int8"
    assert 0 < distance(model.predict(x), full) < 3e-2


def test_layers_of_a_nested_model_follow_the_one_that_predicts():
    inner, x = make(), normal(2, 6, 6, 3)
    outer = Sequential([Input((6, 6, 3)), inner])
    full = outer.predict(x)
    inner.dense_storage = "int8"
    np.testing.assert_array_equal(outer.predict(x), full)
    outer.dense_storage = "int8"
    np.testing.assert_array_equal(outer.predict(x), inner.predict(x))


def test_features_of_rounded_weights_are_kept_apart():
    model = make()
    full = model_hash(model)
    model.dense_storage = "int8"
    assert model_hash(model) != full
    model.dense_storage = "float32"
    assert model_hash(model) == full


def test_the_copy_is_given_up_with_the_setting():
    model = make()
    model.dense_storage = "int8"
    model.predict(normal(1, 6, 6, 3))
    model.dense_storage = "float32"
    assert not model._plans


def test_the_kernel_gets_stored_weights(monkeypatch):
    if not kernels.numba_wanted():
        pytest.skip("kernels in NumPy take restored weights")
    seen = []
    monkeypatch.setattr("minicnn.models.plan.steps.KERNELS", spying(seen))
    model = make()
    model.dense_storage = "bfloat16"
    model.predict(normal(1, 6, 6, 3))
    assert [w.data.dtype for w in seen] == [np.uint16] * 2


def spying(seen: list) -> dict:
    """The table of kernels, noting the weights that dense layers get."""
    from minicnn.models.plan.steps import KERNELS
    from minicnn.ops.dense import Dense as DenseFunction

    def forward(x, w, *others, **options):
        seen.append(w)
        return dense.forward(x, w, *others, **options)

    return {**KERNELS, DenseFunction: forward}


@pytest.mark.parametrize("value", ["float16", None, 8])
def test_other_values_are_refused(value):
    model = make()
    with pytest.raises(ArgumentError, match="dense_storage must be one of 'float32', 'bfloat16', 'int8'; it is"):
        model.dense_storage = value
    assert model.dense_storage == "float32"
