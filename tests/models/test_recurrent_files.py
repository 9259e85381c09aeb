"""Recurrent models in files and configs of every Keras."""

import json
from typing import Any

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.errors import UnsupportedError
from minicnn.models import load_model, model_from_config, model_from_json

pytestmark = pytest.mark.numpy_only


def near(found: Any, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", ["video.keras", "video.h5"])
def test_models_of_keras_3(golden, name):
    with np.load(golden / "recurrent" / "keras3.npz") as file:
        near(load_model(golden / "recurrent" / name).predict(file["video/x0"]), file["video/y0"])


@pytest.mark.parametrize("name", ["video.weights.h5", "video.h5"])
def test_weights_of_keras_3(golden, name):
    model = load_model(golden / "recurrent" / "video.keras")
    expected = model.get_weights()
    model.set_weights([np.zeros_like(w) for w in expected])
    model.load_weights(golden / "recurrent" / name)
    for found, array in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, array)


def test_a_model_of_keras_2(golden):
    model = load_model(golden / "recurrent" / "keras2_recurrent.h5")
    with np.load(golden / "recurrent" / "keras2.npz") as file:
        for found, name in zip(model.predict([file["video"], file["rows"]]), ("first", "second"), strict=True):
            near(found, file[name])
    old: Any = model.get_layer("old")
    both: Any = model.get_layer("both")
    assert (old.reset_after, both.layer.recurrent_activation) == (False, "hard_sigmoid_keras2")
    with pytest.raises(UnsupportedError, match="layer both: its hard_sigmoid is Keras 2's"):
        model.to_json()


def test_a_model_with_layers_of_cudnn(golden):
    model = load_model(golden / "recurrent" / "keras2_cudnn.h5")
    with np.load(golden / "recurrent" / "keras2.npz") as file:
        near(model.predict(file["cudnn_x"]), file["cudnn_y"])


KERAS1_LSTM = {
    "name": "lstm_1", "trainable": True, "batch_input_shape": [None, 5, 3], "input_dim": 3, "input_length": None,
    "output_dim": 4, "init": "glorot_uniform", "inner_init": "orthogonal", "forget_bias_init": "one",
    "activation": "tanh", "inner_activation": "hard_sigmoid", "return_sequences": True, "go_backwards": False,
    "stateful": False, "unroll": False, "consume_less": "cpu", "W_regularizer": None, "U_regularizer": None,
    "b_regularizer": None, "dropout_W": 0.25, "dropout_U": 0.125,
}  # fmt: skip
KERAS1_GRU = {key: value for key, value in KERAS1_LSTM.items() if key not in ("batch_input_shape", "forget_bias_init")}


def test_a_config_of_keras_1():
    both = {
        "name": "bidirectional_1", "trainable": True, "merge_mode": "sum",
        "layer": {"class_name": "GRU", "config": {**KERAS1_GRU, "name": "gru_1"}},
    }  # fmt: skip
    each = {
        "name": "timedistributed_1", "trainable": True,
        "layer": {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 2, "init": "uniform"}},
    }  # fmt: skip
    entries = [
        {"class_name": kind, "config": config}
        for kind, config in (("LSTM", KERAS1_LSTM), ("Bidirectional", both), ("TimeDistributed", each))
    ]
    model = model_from_config({"class_name": "Sequential", "config": entries}, "1.2.2")
    assert model.output_shape == (None, 5, 2)
    first, second, third = model.layers
    assert (first.units, first.dropout, first.recurrent_dropout) == (4, 0.25, 0.125)
    assert (first.recurrent_activation, first.return_sequences) == ("hard_sigmoid_keras2", True)
    assert (second.layer.name, second.layer.reset_after, second.merge_mode) == ("forward_gru_1", False, "sum")
    assert (third.layer.name, third.layer.units) == ("dense_1", 2)


def config_of(layer: Any, shape: tuple[int, ...] = (5, 3)) -> dict[str, Any]:
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, *shape], "name": "x"}}
    return {"class_name": "Sequential", "config": {"name": "m", "layers": [first, layer]}}


@pytest.mark.parametrize(
    ("version", "config", "expected"),
    [("2.0.8", {}, False), ("2.3.1", {"reset_after": True}, True), ("3.15.1", {}, True)],
)
def test_where_the_reset_gate_acts_depends_on_the_version(version, config, expected):
    entry = {"class_name": "GRU", "config": {"name": "g", "units": 2, **config}}
    assert model_from_config(config_of(entry), version).layers[0].reset_after is expected


def test_an_rnn_around_a_cell_is_the_layer_of_that_cell():
    cell = {
        "class_name": "SimpleRNNCell",
        "config": {"name": "c", "units": 2, "activation": "relu", "dtype": "float32"},
    }
    entry = {"class_name": "RNN", "config": {"name": "r", "return_sequences": True, "cell": cell}}
    layer = model_from_config(config_of(entry)).layers[0]
    assert (type(layer), layer.name, layer.activation, layer.return_sequences) == (L.SimpleRNN, "r", "relu", True)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"class_name": "LSTM", "config": {"name": "l", "units": 2, "stateful": True}}, "layer l: stateful=True"),
        ({"class_name": "LSTM", "config": {"name": "l", "units": 2, "time_major": True}}, "'l' .*time_major=True"),
        (
            {"class_name": "RNN", "config": {"name": "r", "cell": {"class_name": "StackedRNNCells", "config": {}}}},
            "layer 'r' is an RNN around StackedRNNCells; minicnn has SimpleRNNCell",
        ),
        (
            {"class_name": "TimeDistributed", "config": {"layer": {"class_name": "Lambda", "config": {"name": "f"}}}},
            "layer 'f' is a Lambda",
        ),
        (
            {"class_name": "Bidirectional", "config": {"name": "b", "layer": {
                "class_name": "MyRNN", "module": "mine", "registered_name": "mine>MyRNN", "config": {"name": "f"}}}},
            "layer 'f' is 'MyRNN' .* runs no code",
        ),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_by_name(entry, message):
    with pytest.raises(UnsupportedError, match=message):
        model_from_config(config_of(entry))


def test_a_mask_that_was_given_by_hand_is_refused(golden):
    text = (golden / "recurrent" / "explicit_mask.json").read_text()
    with pytest.raises(UnsupportedError, match="layer 'l': a mask of its own"):
        model_from_json(text)


def test_the_operations_that_make_masks_need_no_module(golden):
    """The .h5 files of Keras 3 leave it out."""
    config = json.loads((golden / "recurrent" / "keras3.json").read_text())["masks"]
    expected = [layer.name for layer in model_from_config(config).layers]
    for entry in config["config"]["layers"]:
        del entry["module"]
    assert [layer.name for layer in model_from_config(config).layers] == expected
