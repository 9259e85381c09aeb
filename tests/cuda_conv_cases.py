"""What the tests of convolutions on a GPU share: a case that fills more than one block, and the bound of its errors."""

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


def assert_within_rounding(found: np.ndarray, case: dict[str, Any]) -> None:
    """Within the bound of DESIGN.md, section 8."""
    expected = cases.run(case, np.float64, "v2_im2col", "forward")
    assert np.all(np.abs(found - expected) <= BOUND * cases.magnitude(case, "forward"))
