"""Operators between symbolic tensors become nodes of the graph."""

import json

import numpy as np
import pytest

from minicnn.errors import ShapeError, UnsupportedError
from minicnn.layers import Add, Dense, Flatten, Input, Operation, ReLU
from minicnn.models import Model
from minicnn.models.config_reading import model_from_config

pytestmark = pytest.mark.numpy_only
A, B = (np.random.default_rng(i).uniform(0.5, 2, (3, 4)).astype(np.float32) for i in range(2))


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: -a + b,
        lambda a, b: 2 * a + b * 0.5,
        lambda a, b: 1 - a + 0 * b,
        lambda a, b: 1 / a - b / 4,
        lambda a, b: a * np.array([1, 2, 3, 4], np.float32) + b,
    ],
)
def test_values(function):
    a, b = Input((4,)), Input((4,))
    y = function(a, b)
    assert y.shape == (None, 4)
    model = Model([a, b], y)
    np.testing.assert_allclose(model.predict([A, B]), function(A, B), rtol=1e-6)
    np.testing.assert_allclose(model([A, B], training=True).numpy(), function(A, B), rtol=1e-6)
    assert len(model.layers) == 2  # operations are no layers


@pytest.mark.parametrize("name", ["Relu", "Relu6", "Sigmoid", "Tanh", "Silu", "Softmax", "Negative"])
def test_functions(name):
    x = Input((4,))
    y = Model(x, Operation(name)(x)).predict(A)
    expected = {
        "Relu": A,
        "Relu6": A,
        "Sigmoid": 1 / (1 + np.exp(-A)),
        "Tanh": np.tanh(A),
        "Silu": A / (1 + np.exp(-A)),
        "Softmax": np.exp(A) / np.exp(A).sum(-1, keepdims=True),
        "Negative": -A,
    }[name]
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_broadcasting_shapes():
    image, gate = Input((None, 5, 3)), Input((1, 1, 3))
    assert (image * gate).shape == (None, None, 5, 3)
    assert (gate + np.ones((2, 1), np.float32)).shape == (None, 1, 2, 3)


def test_the_size_of_images_goes_through_operations_of_nested_models():
    inputs = Input((None, None, 3))
    inner = Model(inputs, 1 - inputs * 0.5)
    small, large = Input((2, 3, 3)), Input((4, 5, 3))
    assert (inner(small).shape, inner(large).shape) == ((None, 2, 3, 3), (None, 4, 5, 3))
    assert Model(small, Dense(2)(Flatten()(inner(small)))).output_shape == (None, 2)


def test_a_model_of_float64_that_begins_with_an_operation():
    x = Input((4,), dtype="float64")
    half = x * 0.5
    model = Model(x, Dense(2, dtype="float64")(half))
    given = A.astype(np.float64)
    assert half.dtype == model(given, training=False).dtype == model.predict(given).dtype == np.float64
    assert Model(x, x)(given, training=False).dtype == np.float64


def test_refusals():
    with pytest.raises(ShapeError, match=r"operation add.* do not broadcast"):
        Input((4,)) + Input((5,))
    with pytest.raises(UnsupportedError, match="'Floor'; known are Add"):
        Operation("Floor")


def test_gradients_flow_through():
    x = Input((4,))
    layer = Dense(4)
    model = Model(x, (layer(x) * 2 + 1) / 2)
    y = model(A, training=True)
    y.backward(np.ones(y.shape))
    np.testing.assert_allclose(layer.bias.grad.numpy(), np.full(4, 3), rtol=1e-6)


def test_the_h5_files_of_keras_3_leave_out_where_an_operation_is_from():
    x = Input((4,), name="x")
    model = Model(x, Add(name="a")([ReLU(name="r")(x + 3.0) * 0.5, x]))
    config = json.loads(model.to_json())
    for entry in config["config"]["layers"]:
        del entry["module"], entry["registered_name"]
    again = model_from_config(config)
    data = np.array([[-4.0, -1.0, 0.0, 2.0]], np.float32)
    np.testing.assert_array_equal(again.predict(data), model.predict(data))
    assert [type(layer).__name__ for layer in again.layers] == ["InputLayer", "ReLU", "Add"]
