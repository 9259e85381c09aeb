"""Batch and layer normalisation against Keras in float64, and when the statistics move."""

import numpy as np
import pytest
from oracles import golden_ops

from minicnn import Tensor, gradcheck
from minicnn.layers import BatchNormalization, Dense, Input, LayerNormalization
from minicnn.models import Model, Sequential

pytestmark = pytest.mark.numpy_only


def relative(found, expected) -> float:
    return np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1)


def layer_of(case, arrays):
    """A layer with the case's options and weights, and its input as a leaf."""
    cls = LayerNormalization if case["op"] == "layer_norm" else BatchNormalization
    options = {key: case[key] for key in ("epsilon", "momentum", "center", "scale") if key in case}
    layer, x = cls(**options, dtype="float64"), Tensor(arrays["x"], requires_grad=True)
    layer.build(x.shape)
    for weight in layer.weights:
        key = {"moving_mean": ("mean0", "mean"), "moving_variance": ("var0", "var")}.get(weight.name, (weight.name,))
        weight.assign(next(arrays[k] for k in key if k in arrays))
    return layer, x


@pytest.mark.parametrize(
    ("case", "arrays"),
    [
        pytest.param(*item, id=item[0]["name"])
        for item in golden_ops("batch_norm_train", "batch_norm_infer", "layer_norm")
    ],
)
def test_agrees_with_keras(case, arrays):
    layer, x = layer_of(case, arrays)
    y = layer(x, training=case["op"] == "batch_norm_train")
    y.backward(arrays["dy"])
    found = {"y": y.numpy(), "dx": x.grad.numpy()}
    found |= {f"d{weight.name}": weight.grad.numpy() for weight in layer.trainable_weights}
    if case["op"] == "batch_norm_train":
        found |= {"mean1": layer.moving_mean.numpy(), "var1": layer.moving_variance.numpy()}
    assert {key for key in arrays if key[0] == "d"} <= found.keys() | {"dy"}
    for name, value in found.items():
        # one pixel a channel apart, dx is a difference of equal numbers
        assert relative(value, arrays[name]) <= 1e-10 or np.abs(value - arrays[name]).max() <= 1e-13, name


def moved(layer: BatchNormalization, call) -> bool:
    """Whether a call changes the statistics."""
    before = [layer.moving_mean.numpy().copy(), layer.moving_variance.numpy().copy()]
    call()
    after = [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
    return not all(np.array_equal(a, b) for a, b in zip(after, before))


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).normal(3, 2, (16, 4)).astype(np.float32)


def test_training_moves_the_statistics_by_keras_formula(x):
    layer = BatchNormalization(momentum=0.75)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.25 * x.mean(0), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.75 + 0.25 * x.var(0), rtol=1e-6)


def test_inference_uses_and_keeps_the_statistics(x):
    layer = BatchNormalization(epsilon=0.5)
    layer.build(x.shape)
    layer.set_weights([np.full(4, 2), np.full(4, 1), x.mean(0), x.var(0)])
    y = []
    assert not moved(layer, lambda: y.append(layer(x).numpy()))
    np.testing.assert_allclose(y[0], 2 * (x - x.mean(0)) / np.sqrt(x.var(0) + 0.5) + 1, rtol=1e-4, atol=1e-6)


def test_frozen_is_inference_whatever_training_says_and_counts_at_each_call(x):
    layer = BatchNormalization()
    layer.build(x.shape)
    inference = layer(x).numpy()
    layer.trainable = False
    assert not moved(layer, lambda: np.testing.assert_array_equal(layer(x, training=True).numpy(), inference))
    layer.trainable = True
    assert moved(layer, lambda: layer(x, training=True))


def nested() -> tuple[Model, BatchNormalization]:
    norm = BatchNormalization(name="norm")
    inner = Sequential([Input((4,)), norm], name="inner")
    middle = Sequential([Input((4,)), inner, Dense(4)], name="middle")
    a = Input((4,))
    return Model(a, Dense(2)(middle(a))), norm


@pytest.mark.parametrize("freeze", ["inner", "middle", "whole", "norm"])
def test_frozen_in_nested_models(freeze, x):
    model, norm = nested()
    assert moved(norm, lambda: model(x, training=True))
    middle = model.get_layer("middle")
    target = {"whole": model, "middle": middle, "inner": middle.get_layer("inner"), "norm": norm}[freeze]
    target.trainable = False
    assert not moved(norm, lambda: model(x, training=True))
    np.testing.assert_allclose(model(x, training=True).numpy(), model.predict(x), rtol=1e-5, atol=1e-6)
    target.trainable = True
    assert moved(norm, lambda: model(x, training=True))


def test_a_call_with_training_false_holds_for_good(x):
    norm = BatchNormalization()
    base = Sequential([Input((4,)), norm])
    a = Input((4,))
    model = Model(a, base(a, training=False))
    assert not moved(norm, lambda: model(x, training=True))
    assert moved(norm, lambda: base(x, training=True))


def test_a_call_with_training_true_holds_for_good(x):
    norm = BatchNormalization(momentum=0.5)
    a = Input((4,))
    model = Model(a, norm(a, training=True))
    np.testing.assert_allclose(model.predict(x).mean(0), 0, atol=1e-5)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), 0)  # predict does not train
    np.testing.assert_array_equal(norm.moving_variance.numpy(), 1)


def test_gradient_of_frozen_mode():
    layer = BatchNormalization(dtype="float64")
    layer.build((3, 4))
    layer.set_weights([np.full(4, 2.0), np.ones(4), np.arange(4.0), np.arange(1.0, 5.0)])
    x = Tensor(np.random.default_rng(0).standard_normal((3, 4)), requires_grad=True)
    assert gradcheck(layer, x)


def test_gradients_are_those_of_the_statistics_that_were_used():
    layer = BatchNormalization(momentum=0.0, center=False, epsilon=0.0)
    x = Tensor(np.array([[1.0], [2.0]], np.float32), requires_grad=True)
    y = layer(x, training=False)
    layer(np.array([[10.0], [30.0]], np.float32), training=True)  # as another call in the same model may
    y.backward(np.ones_like(x.numpy()))
    np.testing.assert_array_equal(x.grad.numpy(), [[1], [1]])
    np.testing.assert_array_equal(layer.gamma.grad.numpy(), [3])
