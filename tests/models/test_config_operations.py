"""Operations on tensors in configs of Keras 2 and 3 give Keras' numbers (golden/operations_keras*.npz)."""

import json
from pathlib import Path

import numpy as np
import pytest

from minicnn.errors import MinicnnError, UnsupportedError
from minicnn.layers import Input, Operation
from minicnn.layers.functions import FUNCTIONS
from minicnn.models import Model, model_from_config, model_from_json

pytestmark = pytest.mark.numpy_only
CASES, ARRAYS = {}, {}
for version in ("2", "3"):
    with np.load(Path(__file__).parents[1] / "golden" / f"operations_keras{version}.npz") as file:
        found = json.loads(file["cases"].tobytes())
        ARRAYS["x"] = file["x"]
        for number, (what, config) in enumerate(found["cases"]):
            CASES[f"{version}: {what}"] = found["keras"], config
            ARRAYS[f"{version}: {what}"] = file[f"y{number}"]


@pytest.mark.parametrize("case", CASES)
def test_gives_the_numbers_of_keras(case):
    model = model_from_config(CASES[case][1], CASES[case][0])
    expected = ARRAYS[case]
    assert model.output_shape == (None, *expected.shape[1:])
    for y in (model.predict(ARRAYS["x"]), model(ARRAYS["x"], training=True).numpy()):
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_is_written_as_keras_3_reads_it(case):
    model = model_from_config(CASES[case][1], CASES[case][0])
    try:
        text = model.to_json()
    except UnsupportedError as error:
        assert "Keras 3 has no" in str(error)  # noqa: PT017
        return
    np.testing.assert_array_equal(model_from_json(text).predict(ARRAYS["x"]), model.predict(ARRAYS["x"]))


def test_sizes_that_are_not_known():
    x = Input((None, None, 8))
    assert Operation("Mean", axis=(1, 2))(x).shape == (None, 8)
    assert Operation("Pad", pad_width=((0, 0), (1, 1), (2, 2), (0, 0)))(x).shape == (None, None, None, 8)
    assert Operation("Reshape", newshape=(-1, None, 8))(x).shape == (None, None, 8)
    assert [y.shape for y in Operation("Split", indices_or_sections=[2], axis=-1)(x)] == [
        (None, None, None, 2),
        (None, None, None, 6),
    ]


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("Mean", {"axis": 0}, "operation it: axis 0 has the samples"),
        ("Sum", {}, "operation it: axis None has the samples"),
        ("Mean", {"axis": 7}, r"operation it: inputs of shape .* do not have the axes 7"),
        ("Mean", {"ddof": 1}, "operation it: Mean with ddof=1; minicnn knows axis, keepdims"),
        ("Reshape", {"newshape": (2, -1)}, r"operation it: a reshape to \(2, -1\) fixes the number of samples"),
        ("Reshape", {"newshape": (-1, 5)}, "operation it: reshape: a sample of shape"),
        ("Transpose", {}, "operation it: a transposition .* moves the axis of the samples"),
        ("GetItem", {"key": 0}, "operation it: the index 0 takes some of the samples"),
        ("GetItem", {"key": (slice(None), "a")}, "operation it: an index"),
        ("Pad", {"pad_width": ((1, 0), (0, 0), (0, 0), (0, 0))}, "operation it: padding .* the samples"),
        ("Pad", {"pad_width": ((0, 0), (1, 1), (0, 0), (0, 0)), "mode": "edge"}, "operation it: pad: mode must be"),
        ("Split", {"indices_or_sections": 3, "axis": -1}, "operation it: split: 8 along axis -1 are no 3 equal parts"),
        ("Squeeze", {"axis": 1}, "operation it: squeeze: the axes 1 of"),
        ("Tile", {"repeats": (2, 1, 1, 1)}, "operation it: tiling"),
        ("Tile", {"repeats": (1, 10**9, 1, 1)}, "operation it: repetitions: 1000000000 is no whole number from 1 to"),
        ("Repeat", {"repeats": 10**12, "axis": 1}, "operation it: repetitions: .* is no whole number"),
        ("Repeat", {"repeats": (1, 2, 1, 1), "axis": 1}, "operation it: repetitions: .* is no whole number"),
        (
            "Pad",
            {"pad_width": ((0, 0), (4, 0), (0, 0), (0, 0)), "mode": "reflect"},
            "operation it: a mirror of 4 along axis 1 has no 4 numbers",
        ),
        ("Resize", {"size": (10**6, 10**6)}, r"layer it: .* has more than \d+ numbers|layer it .*an output of shape"),
        ("Pad", {"pad_width": ((0, 0), (10**12, 0), (0, 0), (0, 0))}, "an output of shape"),
        ("Normalize", {"order": 1}, "operation it: normalisation by the norm of order 1"),
        ("Reshape", {"newshape": 5}, r"operation it: Reshape does not take its options \(TypeError"),
        ("Clip", {"x_min": "a"}, "operation it: Clip does not take its options .ValueError: could not convert"),
        ("GetItem", {"key": (slice(None), 9)}, "operation it: GetItem does not take its options .IndexError: index 9"),
        ("GetItem", {"key": (slice(None), slice(0, 1, 0))}, "operation it: GetItem does not take its options"),
        ("Softmax", {"axis": 0}, "operation it: axis 0 has the samples"),
        ("Softmax", {"axis": None}, "operation it: axis None has the samples"),
        ("LogSoftmax", {"axis": (1, 2)}, r"operation it: one axis is taken; these are \(1, 2\)"),
    ],
)
def test_what_would_not_be_keras_numbers_is_refused(function, options, message):
    with pytest.raises(MinicnnError, match=message):
        Operation(function, name="it", **options)(Input((4, 6, 8)))


def test_products_with_numbers():
    x, right = Input((4, 6)), np.arange(18, dtype=np.float32).reshape(6, 3)
    left = right[:2, :1] + np.ones((2, 4), np.float32)
    y = Operation("Matmul")(Operation("Matmul")(left, x), right)
    assert y.shape == (None, 2, 3)
    model, data = Model(x, y), np.random.default_rng(0).standard_normal((5, 4, 6)).astype(np.float32)
    for again in (model, model_from_json(model.to_json())):
        np.testing.assert_allclose(again.predict(data), left @ data @ right, rtol=1e-4)


def test_a_cast_is_written_and_read():
    x = Input((4,))
    model = Model(x, Operation("Identity")(x) * 2.0)
    config = json.loads(model.to_json())
    assert config["config"]["layers"][1]["class_name"] == "Cast"
    data = np.ones((2, 4), np.float32)
    for entry in config["config"]["layers"]:
        np.testing.assert_array_equal(model_from_config(config).predict(data), 2 * data)
        del entry["module"]  # as in the .h5 files of Keras 3


def test_parts_of_which_one_is_what_is_left():
    parts = Operation("SplitSizes", num_or_size_splits=[2, -1, 3], axis=-1)(Input((4, 8)))
    assert [part.shape for part in parts] == [(None, 4, 2), (None, 4, 3), (None, 4, 3)]


def test_a_bias():
    model = model_from_config(config_of_keras2("nn.bias_add", {"bias": [1, 2, 3, 4]}), "2.15.0")
    np.testing.assert_array_equal(model.predict(np.zeros((2, 4), np.float32)), [[1, 2, 3, 4]] * 2)


def config_of_keras2(function, kwargs, class_name="TFOpLambda"):
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}, "inbound_nodes": []},
        {
            "class_name": class_name,
            "config": {"name": "it", "trainable": True, "dtype": "float32", "function": function},
            "inbound_nodes": [["x", 0, 0, kwargs]],
        },
    ]
    for layer in layers:
        layer["name"] = layer["config"]["name"]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["it", 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}}


@pytest.mark.parametrize(
    ("function", "kwargs", "message"),
    [
        ("math.erf", {}, "operation 'it' is tf.math.erf, which minicnn does not have"),
        ("cast", {"dtype": "int32"}, "operation it: a cast to 'int32'; minicnn computes in floating point"),
        ("reshape", {"shape": [-1, ["x", 0, 0]]}, "operation it: newshape is computed by the model itself"),
        ("image.resize", {"size": [2, 2], "preserve_aspect_ratio": True}, "with preserve_aspect_ratio=True"),
    ],
)
def test_refusals_name_the_operation(function, kwargs, message):
    with pytest.raises(UnsupportedError, match=message):
        model_from_config(config_of_keras2(function, kwargs), "2.15.0")


def test_calls_with_different_options_are_refused():
    config = config_of_keras2("math.reduce_mean", {"axis": 1, "keepdims": True})
    config["config"]["layers"][1]["inbound_nodes"].append(["x", 0, 0, {"axis": -1}])
    with pytest.raises(UnsupportedError, match="operation it: its calls have different options"):
        model_from_config(config, "2.15.0")


def test_every_function_is_in_a_golden_case():
    used = set()
    for version, config in CASES.values():
        calls = model_from_config(config, version).program.calls
        used |= {call.layer.function for call in calls if isinstance(call.layer, Operation)}
    assert FUNCTIONS.keys() - used <= {"Divide", "Identity", "Negative"}


def test_several_outputs_of_an_operation():
    x = Input((8,))
    left, right = Operation("Split", indices_or_sections=2, axis=1)(x)
    model = Model(x, right - left)
    data = np.arange(16, dtype=np.float32).reshape(2, 8)
    np.testing.assert_array_equal(model.predict(data), np.full((2, 4), 4, np.float32))
    np.testing.assert_array_equal(model_from_json(model.to_json()).predict(data), model.predict(data))
