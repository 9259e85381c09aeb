"""What the drawn cases of a GPU's convolutions are too small for: each size of a tile, and sums in chunks."""

from typing import Any

import numpy as np
import pytest
from emulator.device import install
from kernel_cases import conv2d as cases
from rung_cases import BOUND

from minicnn import kernels
from minicnn.kernels import _cuda_blocks as blocks
from minicnn.kernels._cuda_blocks import SINGLE, TILES, Blocking, blocking

pytestmark = pytest.mark.cuda_emulated
FORWARD = [s.rung for s in kernels.specs("cuda") if (s.op, s.direction) == ("conv2d", "forward")]
BUILDS = [(tile, 4) for tile in TILES] + [(tile, 1) for tile in SINGLE]


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


@pytest.mark.parametrize("mode", ["fast", "checked"])
@pytest.mark.parametrize("chunk_steps", [2, 99])
@pytest.mark.parametrize(("tile", "vector"), BUILDS, ids=str)
def test_every_tile_of_the_implicit_product(tile, vector, chunk_steps, mode, monkeypatch):
    import minicnn.kernels.conv2d.cuda_blocked as rung

    monkeypatch.setattr(rung, "blocking", lambda *shapes, **options: Blocking(*tile, vector, chunk_steps))
    case = case_of(8 if vector == 4 else 5, 68 if vector == 4 else 67)
    there, device = on_emulator(case, mode)
    found = device.to_host(cases.run(there, np.float32, "v4_blocked", "forward"))
    assert_within_rounding(found, case)


def test_few_outputs_are_split_into_chunks_of_a_size_that_shapes_alone_decide():
    few, many = blocking(196, 512, 4608, 1, 4), blocking(200704, 512, 4608, 1, 4)
    assert few.blocks(196, 512) * few.chunks(4608) >= blocks.MULTIPROCESSORS
    assert many.chunks(4608) == 1
    assert (many.rows, many.columns) == (128, 128)


def test_a_tile_is_no_wider_than_it_has_to_be():
    assert blocking(200704, 64, 576, 1, 4).columns == 64
    assert blocking(200704, 24, 576, 1, 4).columns == 32
    assert blocking(200704, 192, 576, 1, 4).columns == 64


def test_rows_that_do_not_begin_on_16_bytes_are_read_one_number_at_a_time():
    device = install("fast")
    whole = device.xp.zeros(33, np.float32)
    assert blocks.vector((8, 12), whole[:32], None) == 4
    assert blocks.vector((8, 12), whole[1:]) == 1
    assert blocks.vector((8, 10), whole[:32]) == 1


def test_a_view_that_begins_between_16_bytes_is_convolved():
    case = case_of(8, 16)
    there, device = on_emulator(case, "checked")
    room = device.xp.zeros(case["x"].size + 1, np.float32)
    room[1:] = there["x"].reshape(-1)
    there["x"] = room[1:].reshape(case["x"].shape)
    options = {**case["options"], "residual": there["residual"], "activation": "relu6", "rung": "v4_blocked"}
    found = kernels.conv2d.forward(there["x"], there["w"], there["bias"], **options)
    assert_within_rounding(device.to_host(found), case)


@pytest.mark.parametrize("rung", FORWARD)
def test_nan_reaches_the_windows_that_see_it_and_no_others(rung):
    rng = np.random.default_rng(1)
    x, w = rng.uniform(-2, 2, (1, 8, 8, 5)), rng.uniform(-2, 2, (3, 3, 5, 8))
    x[0, 4, 1, 2] = np.nan
    seen = np.isnan(kernels.conv2d.forward(x, w, rung="reference"))
    device = install("fast")
    x, w = (device.from_host(array.astype(np.float32)) for array in (x, w))
    found = device.to_host(kernels.conv2d.forward(x, w, activation="relu", rung=rung))
    assert 0 < seen.sum() < seen.size
    np.testing.assert_array_equal(np.isnan(found), seen)


@pytest.mark.parametrize("rung", FORWARD)
def test_infinity_is_added_as_it_is(rung):
    x, w = np.ones((1, 6, 6, 4)), np.ones((3, 3, 4, 8))
    x[0, 2, 2, 3] = np.inf
    expected = kernels.conv2d.forward(x, w, rung="reference")
    device = install("fast")
    x, w = (device.from_host(array.astype(np.float32)) for array in (x, w))
    found = device.to_host(kernels.conv2d.forward(x, w, rung=rung))
    np.testing.assert_array_equal(np.isposinf(found), np.isposinf(expected))
