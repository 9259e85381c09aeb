"""Layers as Keras 1 and 2 spell them, of inputs with any number of axes."""

from copy import deepcopy

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.errors import UnsupportedError
from minicnn.models import Model, load_model, model_from_config, model_from_json
from minicnn.models.config_reading import _Reader

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("config", "attributes"),
    [
        ({"class_name": "ThresholdedReLU", "config": {"theta": 0.5}}, {"threshold": 0.5, "max_value": None}),
        ({"class_name": "RandomHeight", "config": {"factor": 0.25}}, {"arguments": {"factor": 0.25}}),
        (
            {
                "class_name": "Convolution1D",
                "config": {"nb_filter": 4, "filter_length": 3, "subsample_length": 2, "border_mode": "same"},
            },
            {"filters": 4, "kernel_size": (3,), "strides": (2,), "padding": "same"},
        ),
        (
            {"class_name": "MaxPooling1D", "config": {"pool_length": 3, "stride": 2, "border_mode": "valid"}},
            {"pool_size": (3,), "strides": (2,)},
        ),
        ({"class_name": "UpSampling1D", "config": {"length": 3}}, {"size": 3}),
        (
            {
                "class_name": "Convolution3D",
                "config": {"nb_filter": 4, "kernel_dim1": 1, "kernel_dim2": 2, "kernel_dim3": 3, "dim_ordering": "tf"},
            },
            {"filters": 4, "kernel_size": (1, 2, 3)},
        ),
        (
            {
                "class_name": "Embedding",
                "config": {"input_dim": 9, "output_dim": 4, "init": "uniform", "input_length": 5, "mask_zero": False},
            },
            {"input_dim": 9, "output_dim": 4},
        ),
        (
            {"class_name": "Merge", "config": {"mode": "concat", "concat_axis": 2, "dot_axes": -1}},
            {"axis": 2},
        ),
        (
            {"class_name": "Merge", "config": {"mode": "cos", "concat_axis": -1, "dot_axes": [[1], [2]]}},
            {"axes": [1, 2], "normalize": True},
        ),
        ({"class_name": "InputLayer", "config": {"batch_shape": [None, 4], "dtype": "int32"}}, {"dtype": np.float32}),
        ({"class_name": "LeakyReLU", "config": {"alpha": {"type": "ndarray", "value": 0.5}}}, {"negative_slope": 0.5}),
        ({"class_name": "SyncBatchNormalization", "config": {"axis": [3]}}, {"axis": 3}),
    ],
)
def test_dialects(config, attributes):
    config = deepcopy(config)
    config["config"]["name"] = "it"
    layer = _Reader("1.2.2").layer(config)
    assert {key: getattr(layer, key) for key in attributes} == attributes


def test_penalties_and_constraints_of_keras_1():
    config = {
        "name": "d",
        "output_dim": 2,
        "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
        "b_regularizer": {"name": "L1L2Regularizer", "l1": 0.25, "l2": 0.0},
        "W_constraint": {"name": "MaxNorm", "m": 3, "axis": 0},
        "b_constraint": {"name": "NonNeg"},
    }
    layer = _Reader("1.2.2").layer({"class_name": "Dense", "config": config})
    assert (layer.kernel_regularizer.l2, layer.bias_regularizer.l1, layer.kernel_constraint.max_value) == (0.5, 0.25, 3)
    assert type(layer.bias_constraint).__name__ == "NonNeg"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"mode": "lambda"}, "layer 'it' is a Merge mode 'lambda' of Keras 1; known are sum, mul"),
        ({"mode": "sum", "layers": [{}]}, "layer 'it' is a Merge of branches of Keras 1"),
    ],
)
def test_merges_that_are_refused(config, message):
    with pytest.raises(UnsupportedError, match=message):
        _Reader("1.2.2").layer({"class_name": "Merge", "config": {**config, "name": "it"}})


@pytest.mark.parametrize("name", ["images", "words"])
def test_files_of_keras_2(golden, name):
    model = load_model(golden / f"keras2_{name}.h5")
    with np.load(golden / "keras2_layers.npz") as expected:
        np.testing.assert_allclose(model.predict(expected[name]), expected[f"{name}_y"], rtol=1e-4, atol=1e-5)


def test_a_text_network_of_keras_2():
    layers = [
        ("Embedding", {"batch_input_shape": [None, 10], "dtype": "float32", "input_dim": 20, "output_dim": 4}),
        ("Conv1D", {"filters": 3, "kernel_size": [3], "strides": [1], "padding": "causal", "dilation_rate": [2]}),
        ("GlobalMaxPooling1D", {"data_format": "channels_last"}),
        ("Dense", {"units": 2, "activation": "softmax"}),
    ]
    row = [{"class_name": kind, "config": {"name": kind.lower(), **config}} for kind, config in layers]
    model = model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": row}}, "2.4.3")
    assert model.predict(np.arange(20).reshape(2, 10)).shape == (2, 2)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(np.zeros((1, 10))), model.predict(np.zeros((1, 10))))


@pytest.mark.parametrize("kind", ["RandomHeight", "RandomWidth"])
def test_what_keras_3_does_not_have_is_not_saved(kind, tmp_path):
    x = L.Input((4, 4, 3))
    model = Model(x, L.CLASSES[kind](0.5, name="it")(x))
    np.testing.assert_array_equal(model.predict(np.ones((1, 4, 4, 3))), 1)
    with pytest.raises(UnsupportedError, match=f"layer it: Keras 3 has no {kind}"):
        model.save(tmp_path / "m.keras")


def test_a_causal_padding_that_keras_3_does_not_have_is_not_saved(tmp_path):
    x = L.Input((9, 3))
    model = Model(x, L.SeparableConv1D(4, 3, padding="causal", dilation_rate=2, name="it")(x))
    assert model.output_shape == (None, 9, 4)
    with pytest.raises(UnsupportedError, match="layer it: Keras 3 has no SeparableConv1D with padding='causal'"):
        model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
