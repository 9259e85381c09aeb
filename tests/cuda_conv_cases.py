"""What the tests of convolutions on a GPU share: a case that fills a block, the bound of its errors, and roundings."""

from collections.abc import Callable
from typing import Any

import numpy as np
from emulator.device import install
from kernel_cases import conv2d as cases
from rung_cases import BOUND

from minicnn import kernels


def case_of(channels: int, filters: int) -> dict[str, Any]:
    """More pixels and filters than a block has, and no multiples of its sizes."""
    rng = np.random.default_rng(channels)
    options = {"strides": (2, 1), "padding": "same", "dilation": (1, 2), "groups": 2}
    x, w = rng.uniform(-2, 2, (3, 9, 11, 2 * channels)), rng.uniform(-2, 2, (3, 3, channels, 2 * filters))
    y = kernels.conv2d.forward(x, w, **options, rung="v2_im2col")
    extras = {"bias": rng.uniform(-2, 2, 2 * filters), "residual": rng.uniform(-2, 2, y.shape), "dy": y}
    case = {"x": x, "w": w, **extras}
    rounded = {name: value.astype(np.float32).astype(np.float64) for name, value in case.items()}
    return {**rounded, "options": options, "activation": "relu6"}


def on_emulator(case: dict[str, Any], mode: str, order: int = 0) -> tuple[dict[str, Any], Any]:
    """The arrays of a case on a new emulated device, and the device."""
    there = install(mode, order)
    arrays = {key: there.from_host(v.astype(np.float32)) for key, v in case.items() if isinstance(v, np.ndarray)}
    return {**case, **arrays}, there


def assert_within_rounding(found: np.ndarray, case: dict[str, Any], direction: str = "forward") -> None:
    """Within the bound of DESIGN.md, section 8."""
    expected = cases.run(case, np.float64, "v2_im2col", direction)
    assert np.all(np.abs(found - expected) <= BOUND * cases.magnitude(case, direction) + 1e-37)


def to_bits(dropped: int, ties_to_even: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Rounding of floats to so many bits of fraction less."""

    def rounded(array: np.ndarray) -> np.ndarray:
        bits = array.astype(np.float32).view(np.uint32).astype(np.uint64)
        half = 1 << (dropped - 1)
        bits += half - 1 + (bits >> dropped & 1) if ties_to_even else half
        return (bits >> dropped << dropped).astype(np.uint32).view(np.float32).astype(np.float64)

    return rounded


ROUNDINGS = {
    "v7_tensor_tf32": to_bits(13, ties_to_even=False),
    "v8_tensor_bf16": to_bits(16, ties_to_even=True),
    "v9_tensor_half": lambda array: array.astype(np.float32).astype(np.float16).astype(np.float64),
}


def rounded(case: dict[str, Any], rung: str, *operands: str) -> dict[str, Any]:
    """The case that the tensor cores see."""
    return {**case, **{name: ROUNDINGS[rung](np.ascontiguousarray(case[name])) for name in operands}}
