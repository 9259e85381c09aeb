"""Nodes of TensorFlow's graph in configs of TensorFlow 2.0 to 2.3."""

import base64
import json

import numpy as np
import pytest

from minicnn.errors import FileFormatError, UnsupportedError
from minicnn.models import Model, model_from_config

pytestmark = pytest.mark.numpy_only
X = np.random.default_rng(0).uniform(0.5, 2, (2, 4, 6)).astype(np.float32)
EXP = np.exp(X)


def model_of(op, constants=None, attributes=None, tensors=1, shape=(None, 4, 6)) -> Model:
    """One node, as TensorFlow 2.2 writes it."""
    inputs = [f"x:{i}" for i in range(tensors + len(constants or {}))]
    definition = {"name": "node", "op": op, "input": inputs, "attr": {"T": {"type": "DT_FLOAT"}, **(attributes or {})}}
    node = {"name": "node", "trainable": True, "dtype": "float32", "node_def": json.dumps(definition)}
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": list(shape), "dtype": "float32", "name": "x"}},
        {"class_name": "TensorFlowOpLayer", "config": {**node, "constants": constants or {}}},
    ]
    for layer, name, calls in zip(layers, ["x", "tf_op_layer_node"], [[], [[["x", 0, 0, {}]] * tensors]]):
        layer |= {"name": name, "inbound_nodes": calls}
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["tf_op_layer_node", 0, 0]]}
    return model_from_config({"class_name": "Model", "config": {"name": "m", "layers": layers, **ends}}, "2.3.0-tf")


def mode(text, name="mode"):
    return {name: {"s": base64.b64encode(text.encode()).decode()}}


def order(text):
    return mode(text, "data_format")


MASKS = {"begin_mask": {"i": "1"}, "end_mask": {"i": "1"}, "shrink_axis_mask": {"i": "2"}}


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "tensors", "expected"),
    [
        ("AddV2", {"1": 0.5}, {}, 1, X + 0.5),
        ("Sub", {"0": 1.0}, {}, 1, 1 - X),
        ("Mul", {}, {}, 2, X * X),
        ("RealDiv", {"1": [1, 2, 3, 4, 5, 6]}, {}, 1, X / np.arange(1, 7, dtype=np.float32)),
        ("Pow", {"1": 3.0}, {}, 1, X**3),
        ("Relu", {}, {}, 1, X),
        ("LeakyRelu", {}, {"alpha": {"f": 0.25}}, 1, X),
        ("Mean", {"1": [1]}, {"keep_dims": {"b": True}}, 1, X.mean(1, keepdims=True)),
        ("Max", {"1": -1}, {}, 1, X.max(-1)),
        ("Reshape", {"1": [-1, 24]}, {}, 1, X.reshape(2, 24)),
        ("Transpose", {"1": [0, 2, 1]}, {}, 1, X.transpose(0, 2, 1)),
        ("ConcatV2", {"2": -1}, {}, 2, np.concatenate([X, X], -1)),
        ("Pack", {}, {"axis": {"i": "1"}}, 2, np.stack([X, X], 1)),
        ("ExpandDims", {"1": -1}, {}, 1, X[..., None]),
        ("Pad", {"1": [[0, 0], [1, 2], [0, 0]]}, {}, 1, np.pad(X, ((0, 0), (1, 2), (0, 0)))),
        (
            "PadV2",
            {"1": [[0, 0], [1, 2], [0, 0]], "2": 7.0},
            {},
            1,
            np.pad(X, ((0, 0), (1, 2), (0, 0)), constant_values=7),
        ),
        (
            "MirrorPad",
            {"1": [[0, 0], [1, 2], [0, 0]]},
            mode("REFLECT"),
            1,
            np.pad(X, ((0, 0), (1, 2), (0, 0)), "reflect"),
        ),
        ("StridedSlice", {"1": [0, 2, 1], "2": [0, 3, 6], "3": [1, 1, 2]}, MASKS, 1, X[:, 2, 1:6:2]),
        ("Softmax", {}, {}, 1, EXP / EXP.sum(-1, keepdims=True)),
        ("Cast", {}, {"DstT": {"type": "DT_FLOAT"}}, 1, X),
        ("BiasAdd", {"1": [1, 2, 3, 4, 5, 6]}, order("NHWC"), 1, X + np.arange(1, 7, dtype=np.float32)),
    ],
)
def test_numbers(op, constants, attributes, tensors, expected):
    model = model_of(op, constants, attributes, tensors)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)
    assert model.output_shape == (None, *expected.shape[1:])


def test_squeeze():
    x = X.reshape(2, 1, 4, 6)
    for dims in ([], ["1"]):
        model = model_of("Squeeze", {}, {"squeeze_dims": {"list": {"i": dims}}}, shape=(None, 1, 4, 6))
        np.testing.assert_array_equal(model.predict(x), X)


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "message"),
    [
        ("Erf", {}, {}, "layer 'tf_op_layer_node' is TensorFlow's Erf, which minicnn does not have"),
        ("Cast", {}, {"DstT": {"type": "DT_INT32"}}, "operation tf_op_layer_node: a cast to 'DT_INT32'"),
        (
            "ResizeBilinear",
            {"1": [2, 2]},
            {},
            "'tf_op_layer_node': TensorFlow's ResizeBilinear without half_pixel_centers",
        ),
        (
            "BiasAdd",
            {"1": [1, 2, 3, 4]},
            order("NCHW"),
            "'tf_op_layer_node': TensorFlow's BiasAdd with data_format 'NCHW'",
        ),
        ("Mean", {"1": [0]}, {}, "operation tf_op_layer_node: axis .* has the samples"),
    ],
)
def test_refusals(op, constants, attributes, message):
    with pytest.raises(UnsupportedError, match=message):
        model_of(op, constants, attributes)


def test_a_node_that_is_no_json_is_refused(monkeypatch):
    monkeypatch.setattr(json, "dumps", lambda _: "{")
    with pytest.raises(FileFormatError, match="node_def is no JSON"):
        model_of("Relu")
