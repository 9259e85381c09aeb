"""A layer as the activation of another, as configs of Keras 2 and 3 have it."""

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.errors import UnsupportedError
from minicnn.models import Sequential, model_from_config, model_from_json

pytestmark = pytest.mark.numpy_only


def model_with(activation, version) -> Sequential:
    entry = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}}
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 4, "activation": activation}}
    return model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": [entry, dense]}}, version)


def test_one_with_weights_is_refused_whatever_its_name():
    with pytest.raises(UnsupportedError, match="layer d: its activation is a layer, PReLU"):
        model_with({"class_name": "PReLU", "config": {"name": "elu"}}, "2.4.0")


def test_one_that_is_given_to_a_layer_is_refused_by_name():
    for make in (lambda: L.Dense(4, activation=L.PReLU(), name="d"), lambda: L.LSTM(4, activation=L.ReLU(), name="d")):
        with pytest.raises(UnsupportedError, match=r"layer d: its activation is a layer, P?ReLU; minicnn takes"):
            make()


@pytest.mark.parametrize(
    ("version", "kind", "arguments"),
    [
        ("2.4.0", "LeakyReLU", {"alpha": 0.5}),
        ("3.15.1", "LeakyReLU", {"negative_slope": 0.5}),
        ("2.4.0", "ThresholdedReLU", {"theta": 0.25}),
        ("3.15.1", "ELU", {"alpha": 0.5}),
        ("3.15.1", "Softmax", {"axis": -1}),
    ],
)
def test_its_arguments_are_kept(version, kind, arguments):
    config = {"name": "elu", "trainable": True, "dtype": "float32", **arguments}
    model = model_with({"class_name": kind, "config": config}, version)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)
    kernel, bias = model.get_weights()
    z = x @ kernel + bias
    expected = {
        "LeakyReLU": np.where(z > 0, z, 0.5 * z),
        "ThresholdedReLU": np.where(z > 0.25, z, 0),
        "ELU": np.where(z > 0, z, 0.5 * (np.exp(z) - 1)),
        "Softmax": np.exp(z) / np.exp(z).sum(-1, keepdims=True),
    }[kind]
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
