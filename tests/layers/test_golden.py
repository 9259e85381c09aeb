"""Layers against Keras in float64: outputs, and the gradients of inputs and weights.

golden/layers.npz is from Keras on TensorFlow, golden/channels_first.npz from Keras on PyTorch.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicnn import Tensor
from minicnn.layers import CLASSES

pytestmark = pytest.mark.numpy_only
ARRAYS: dict[tuple[str, int], dict[str, np.ndarray]] = {}
CASES: dict[tuple[str, int], Any] = {}
for source in ("layers", "channels_first"):
    with np.load(Path(__file__).parents[1] / "golden" / f"{source}.npz") as file:
        for number, case in enumerate(json.loads(file["cases"].tobytes())["cases"]):
            CASES[source, number] = case
        for name in file.files:
            number, _, what = name.partition("|")
            if what:
                ARRAYS.setdefault((source, int(number)), {})[what] = file[name]


def numbered(arrays: dict[str, Any], letter: str) -> list[Any]:
    return [arrays[f"{letter}{i}"] for i in range(len(arrays)) if f"{letter}{i}" in arrays]


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    assert found.shape == expected.shape, what
    error = np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1)
    assert error <= tolerance, f"{what}: relative error {error:.1e}"


@pytest.mark.parametrize("index", CASES, ids=[f"{source}-{i}-{CASES[source, i][0]}" for source, i in CASES])
def test_agrees_with_keras(index: tuple[str, int]):
    name, arguments, _ = CASES[index]
    arrays = ARRAYS[index]
    xs = [Tensor(x.astype(np.float64), requires_grad=True) for x in numbered(arrays, "x")]
    layer = CLASSES[name](**arguments, dtype="float64")
    inputs = xs if len(xs) > 1 else xs[0]
    layer(inputs)
    layer.set_weights(numbered(arrays, "w"))
    y = layer(inputs)
    assert len(xs) > 1 or layer.compute_output_shape((None, *xs[0].shape[1:])) == (None, *y.shape[1:])
    y.backward(arrays["dy"])
    single = arrays["y"].dtype == np.float32 or index[0] == "channels_first"  # Keras on PyTorch has means in float32
    tolerance = 1e-6 if single else 1e-10
    assert_close(y.numpy(), arrays["y"], tolerance, "y")
    for i, x in enumerate(xs):
        if f"dx{i}" in arrays:
            assert_close(x.grad.numpy(), arrays[f"dx{i}"], tolerance, f"dx{i}")
    gradients = [weight.grad.numpy() for weight in layer.trainable_weights]
    for i, (found, expected) in enumerate(zip(gradients, numbered(arrays, "dw"), strict=True)):
        assert_close(found, expected, tolerance, f"dw{i}")


def test_all_the_layers_are_there():
    assert {name for name, _, _ in CASES.values()} >= {
        name for name in CLASSES if name.endswith(("1D", "1DTranspose", "3D"))
    } - {
        "SpatialDropout1D",
        "SpatialDropout3D",
    }
