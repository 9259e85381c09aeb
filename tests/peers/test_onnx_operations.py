"""ONNX Runtime computes from exported operations between layers what minicnn computes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_runs import check
from random_nets import randomize

from minicnn import layers as L
from minicnn.errors import UnsupportedError
from minicnn.layers.functions import FUNCTIONS
from minicnn.models import Model, model_from_config
from minicnn.onnx import export, to_onnx
from minicnn.onnx.operations import FORMS

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytestmark = pytest.mark.filterwarnings("default")


def golden_cases() -> list[Any]:
    """(what, config, version) of the operations that Keras 2 and 3 wrote, on images (4,6,8)."""
    found = []
    for version in "23":
        with np.load(Path(__file__).parents[1] / "golden" / f"operations_keras{version}.npz") as file:
            known = json.loads(file["cases"].tobytes())
        found += [pytest.param(config, known["keras"], id=f"{version} {what}") for what, config in known["cases"]]
    return found


def test_every_function_has_a_form():
    assert FORMS.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize(("config", "version"), golden_cases())
def test_what_keras_wrote(config, version, tmp_path):
    check(model_from_config(config, version), tmp_path / "a.onnx")


def apply(function: str, x: Any, **options: Any) -> Any:
    return L.Operation(function, **options)(x)


OF_ANY_SIZE: dict[str, Any] = {
    "Mean": {"axis": (1, 2)},
    "Sum": {"axis": 1, "keepdims": True},
    "Max": {"axis": (-1, 2)},
    "Min": {"axis": -1, "keepdims": True},
    "Var": {"axis": (2, 1)},
    "Std": {"axis": -1},
    "Softmax": {"axis": 1},
    "LogSoftmax": {"axis": -1},
    "Normalize": {"axis": (1, 2)},
    "L2Normalize": {"axis": -1, "epsilon": 0.1},
    "Power": {"exponent": 3.0},
    "Clip": {"x_min": (-0.5, -0.25, 0, 0.25), "x_max": 0.5},
    "Gelu": {},
    "Elu": {"alpha": 0.5},
    "LeakyRelu": {"negative_slope": 0.1},
    "LogSigmoid": {},
    "Reshape": {"newshape": (-1, None, 2)},
    "Transpose": {"axes": (0, 2, 3, 1)},
    "Swapaxes": {"axis1": -1, "axis2": 2},
    "Moveaxis": {"source": (3, 1), "destination": (1, -1)},
    "ExpandDims": {"axis": (1, -1)},
    "Split": {"indices_or_sections": (1, -2), "axis": 1},
    "SplitSizes": {"num_or_size_splits": (1, -1, 2), "axis": 2},
    "Unstack": {"axis": -1},
    "GetItem": {"key": (slice(None), slice(-1, None, -2), ..., None, -1)},
    "Flip": {"axis": (1, -1)},
    "Pad": {"pad_width": ((0, 0), (2, 1), (0, 3), (1, 0)), "constant_values": 0.5},
    "Repeat": {"repeats": 3, "axis": -2},
    "Tile": {"repeats": (2, 1, 3)},
    "Resize": {"size": (5, 4)},
    "DepthToSpace": {"block_size": 2},
}


@pytest.mark.parametrize("before", ["an input", "a convolution"])
@pytest.mark.parametrize("function", OF_ANY_SIZE)
def test_images_of_any_size(function, before, tmp_path):
    """From an input, and from a convolution, which leaves channels first in the file."""
    inputs = x = L.Input((None, None, 4))
    if before == "a convolution":
        x = L.Conv2D(4, 1)(x)
    model = Model(inputs, apply(function, x, **OF_ANY_SIZE[function]))
    randomize(model, 0)
    check(model, tmp_path / "a.onnx", (2,))
    check(model, tmp_path / "a.onnx", (1,), (4, 6))


@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
@pytest.mark.parametrize("sides", [(4, 5), (3, 3)])
def test_mirrors_of_any_size(mode, sides, tmp_path):
    x = L.Input((None, None, 2))
    model = Model(x, apply("Pad", x, mode=mode, pad_width=((0, 0), (2, 1), (0, 2), (1, 1))))
    check(model, tmp_path / "a.onnx", (2,), sides)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("Split", {"indices_or_sections": 3, "axis": 1}),
        ("SplitSizes", {"num_or_size_splits": 3, "axis": 1}),
        ("Split", {"indices_or_sections": (2, 3, 5), "axis": 1}),
        ("Squeeze", {}),
        ("Squeeze", {"axis": 2}),
        ("Reshape", {"newshape": (None, 3, -1)}),
        ("SpaceToDepth", {"block_size": 2}),
        ("Resize", {"size": (5, 3), "data_format": "channels_first"}),
        ("Resize", {"size": (4, 4), "interpolation": "bicubic", "antialias": True}),
        ("GetItem", {"key": (slice(None), -1, 0)}),
        ("GetItem", {"key": slice(None)}),
        ("Pad", {"pad_width": ((0, 0),), "mode": "reflect"}),
        ("Tile", {"repeats": 2}),
    ],
)
def test_images_of_one_size(function, options, tmp_path):
    x = L.Input((6, 1, 4) if function == "Squeeze" else (6, 2, 4))
    model = Model(x, apply(function, x, **options))
    check(model, tmp_path / "a.onnx", (2,))


def test_operands_of_numbers_and_of_other_ranks(tmp_path):
    x, row = L.Input((5, 6, 3)), L.Input((3,))
    y = L.Conv2D(3, 2)(x)
    ends = [
        y * np.array([1, 2, 3], np.float32) - 0.5,
        1 / (y * y + np.ones((5, 1), np.float32)),
        L.Operation("Maximum")(y, L.Operation("Mean", axis=(1, 2), keepdims=True)(y)),
        L.Operation("Matmul")(y, np.arange(6, dtype=np.float32).reshape(3, 2)),
        L.Operation("Concatenate", axis=-1)([y, y * 2]),
        L.Operation("Stack", axis=-1)([y, y + 1]),
        L.Operation("Minimum")(row, np.array([0.25], np.float32)),
        y * L.Operation("Reshape", newshape=(-1, 1, 1, 3))(row),
    ]
    model = Model([x, row], ends)
    randomize(model, 0)
    check(model, tmp_path / "a.onnx", (2,))


def test_operations_number_by_number_leave_channels_first():
    """A gate between convolutions: the axes are turned for the input and for the output alone."""
    x = inputs = L.Input((5, 6, 3))
    x = L.Conv2D(4, 3)(x)
    x = x * L.Operation("Sigmoid")(
        L.Operation("Mean", axis=(1, 2), keepdims=True)(x) * 2.0 + np.array([1, 2, 3, 4], np.float32)
    )
    kinds = [node.op_type for node in to_onnx(Model(inputs, L.Conv2D(2, 1)(x))).graph.node]
    assert kinds.count("Transpose") == 2


def test_an_operation_without_a_form_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.delitem(FORMS, "Mean")
    model = Model(x := L.Input((4, 3)), L.Operation("Mean", "middle", axis=1)(x))
    with pytest.raises(UnsupportedError, match="operation middle: Mean has no form in ONNX"):
        export(model, tmp_path / "a.onnx")
    x = L.Input((None, 5, 2))
    model = Model(x, apply("Resize", x, size=(3, 4), interpolation="bicubic", name="small"))
    with pytest.raises(UnsupportedError, match=r"layer small: .* any size has no form in ONNX"):
        export(model, tmp_path / "a.onnx")
