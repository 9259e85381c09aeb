"""What the drawn cases of a GPU's gradients are too small for: each size of a tile, and sums in chunks and pieces."""

from typing import Any

import numpy as np
import pytest
from cuda_cases import on_device
from emulator.device import install
from kernel_cases import conv2d as cases
from rung_cases import BOUND

from minicnn import kernels
from minicnn.kernels._epilogue import Epilogue
from minicnn.kernels._gpu.blocks import MULTIPROCESSORS, SINGLE, TILES, Blocking
from minicnn.kernels._shapes import Window
from minicnn.kernels.conv2d import cuda_input_blocked, cuda_weights_blocked, cuda_weights_winograd
from minicnn.kernels.conv2d.cuda_weights_blocked import weight_blocking

pytestmark = pytest.mark.cuda_emulated
BUILDS = [(tile, 4) for tile in TILES] + [(tile, 1) for tile in SINGLE]
every_build = pytest.mark.parametrize(("tile", "vector"), BUILDS, ids=str)
each_mode = pytest.mark.parametrize("mode", ["fast", "checked"])


def case_of(channels: int, filters: int, strides: tuple[int, int] = (2, 1)) -> dict[str, Any]:
    """More pixels, and more numbers beside each other, than a block has, and no multiples of its sizes."""
    rng = np.random.default_rng(channels)
    options = {"strides": strides, "padding": "same", "dilation": (1, 2), "groups": 2}
    x, w = rng.uniform(-2, 2, (3, 9, 11, 2 * channels)), rng.uniform(-2, 2, (3, 3, channels, 2 * filters))
    y = kernels.conv2d.forward(x, w, **options, rung="v2_im2col")
    extras = {"bias": rng.uniform(-2, 2, 2 * filters), "residual": rng.uniform(-2, 2, y.shape)}
    case = {"x": x, "w": w, "dy": rng.uniform(-2, 2, y.shape), **extras}
    rounded = {name: value.astype(np.float32).astype(np.float64) for name, value in case.items()}
    return {**rounded, "options": options, "activation": None}


def assert_within_rounding(case: dict[str, Any], direction: str, mode: str) -> None:
    """On a new emulated device, v4_blocked is within the bound of DESIGN.md, section 8."""
    device = install(mode)
    found = device.to_host(cases.run(on_device(case, device), np.float32, "v4_blocked", direction))
    expected = cases.run(case, np.float64, "v2_im2col", direction)
    assert np.all(np.abs(found - expected) <= BOUND * cases.magnitude(case, direction))


@each_mode
@pytest.mark.parametrize("chunk_steps", [1, 99])
@every_build
def test_every_tile_of_the_input_gradient(tile, vector, chunk_steps, mode, monkeypatch):
    monkeypatch.setattr(cuda_input_blocked, "blocking", lambda *shapes: Blocking(*tile, vector, chunk_steps))
    case = case_of(68, 8) if vector == 4 else case_of(67, 5)
    assert_within_rounding(case, "backward_input", mode)


@each_mode
@pytest.mark.parametrize("piece", [2, 99])
@every_build
def test_every_tile_of_the_weight_gradient(tile, vector, piece, mode, monkeypatch):
    plan = Blocking(*tile, vector, 5)  # 40 of 165 pixels
    monkeypatch.setattr(cuda_weights_blocked, "weight_blocking", lambda *shapes: plan)
    monkeypatch.setattr(cuda_weights_blocked, "PIECE", piece)
    case = case_of(16, 68) if vector == 4 else case_of(15, 67)
    assert_within_rounding(case, "backward_weights", mode)


@pytest.mark.parametrize("strides", [(1, 1), (3, 2), (4, 5)])
@pytest.mark.parametrize("rung", ["v1_direct", "v4_blocked"])
def test_a_spread_image_is_finished_where_no_tap_reaches_too(rung, strides):
    case = case_of(4, 4, strides)
    dx, window = case["x"], Window(strides, ((0, 0), (0, 0)), (1, 2), 2)
    dy = np.random.default_rng(0).uniform(-2, 2, (3, 2, 2, 8)).astype(np.float32)
    bias, residual = np.full(8, 0.25), np.ones(dx.shape)
    device = install("checked")
    there = on_device({"dy": dy, "w": case["w"], "bias": bias, "residual": residual, "dx": dx}, device)
    spec = next(s for s in kernels.specs("cuda") if (s.op, s.direction, s.rung) == ("conv2d", "backward_input", rung))
    epilogue = Epilogue(there["bias"], "relu", there["residual"])
    found = device.to_host(spec.fn(there["dy"], there["w"], window, there["dx"], epilogue))
    reference = next(
        s for s in kernels.specs() if (s.op, s.direction, s.rung) == ("conv2d", "backward_input", "reference")
    )
    expected = reference.fn(dy.astype(np.float64), case["w"], window, np.empty(dx.shape))
    np.testing.assert_allclose(found, np.maximum(expected + 1.25, 0), rtol=0, atol=1e-5)


@each_mode
@pytest.mark.parametrize("tiles", [7, 99])
@every_build
def test_every_tile_of_the_weight_gradient_at_points(tile, vector, tiles, mode, monkeypatch):
    plan = Blocking(*tile, vector, 1)  # chunks of 8 tiles: two of the 9, or one at a time where 5 are done together
    monkeypatch.setattr(cuda_weights_winograd, "weight_blocking", lambda *shapes: plan)
    monkeypatch.setattr(cuda_weights_winograd, "WORKSPACE", 0)
    monkeypatch.setattr(cuda_weights_winograd, "LEAST_TILES", tiles)
    rng = np.random.default_rng(tiles)
    x = rng.uniform(-2, 2, (1, 9, 11, 132)).astype(np.float32)
    dy = rng.uniform(-2, 2, (1, 9, 11, 36 if vector == 4 else 35)).astype(np.float32)
    shape, device = (3, 3, 132, dy.shape[3]), install(mode)
    there = device.from_host(x), device.from_host(dy)
    found = kernels.conv2d.backward_weights(*there, shape, padding="same", rung="v6_winograd_4")
    wide = x.astype(np.float64), dy.astype(np.float64)
    expected = kernels.conv2d.backward_weights(*wide, shape, padding="same", rung="v2_im2col")
    assert np.linalg.norm(device.to_host(found) - expected) <= 1e-5 * np.linalg.norm(expected)


def chosen(images: int, channels: int, stride: int = 1, groups: int = 1) -> set[str]:
    """The rungs that both gradients of a 3x3 convolution, and a transposed one in all directions, run on by default."""
    window = Window((stride, stride), ((1, 1), (1, 1)), (1, 1), groups)
    x, y = (np.empty((images, side, side, channels), np.float32) for side in (32, 32 // stride))
    w = np.empty((3, 3, channels // groups, channels), np.float32)
    spread = kernels.conv2d_transpose.OPERATION
    return {
        kernels.conv2d.OPERATION.on_cuda("backward_input", y, w, window, x),
        kernels.conv2d.OPERATION.on_cuda("backward_weights", x, y, window, w),
        spread.on_cuda("forward", y, w, window, Epilogue(), x),
        spread.on_cuda("backward_input", x, w, window, y),
        spread.on_cuda("backward_weights", y, x, window, w),
    }


def test_convolutions_of_many_channels_run_by_winograd_and_others_on_products():
    assert chosen(32, 512) == {"v6_winograd_4"}
    assert chosen(32, 8) == chosen(32, 512, stride=2) == {"v4_blocked"}
    assert chosen(32, 64, groups=16) == {"v1_direct"}


@pytest.mark.parametrize("rung", ["v1_direct", "v4_blocked"])
def test_numbers_of_one_sign_do_not_lose_bits_in_long_sums(rung):
    rng = np.random.default_rng(0)
    x, dy = (rng.uniform(0.5, 1.5, (1, 300, 300, 4)).astype(np.float32) for _ in range(2))
    exact = np.einsum("nijc,nijf->cf", x.astype(np.float64), dy.astype(np.float64))
    device = install("fast")
    there = device.from_host(x), device.from_host(dy)
    found = device.to_host(kernels.conv2d.backward_weights(*there, (1, 1, 4, 4), rung=rung))[0, 0]
    assert np.all(np.abs(found - exact) <= BOUND * exact)


def test_few_weights_are_split_into_chunks_of_a_size_that_shapes_alone_decide():
    few, many = weight_blocking(576, 64, 3211264, 1, 4), weight_blocking(4608, 512, 196, 1, 4)
    assert few.blocks(576, 64) * few.chunks(3211264) >= 7 * MULTIPROCESSORS
    assert many.chunks(196) == 1
    assert many.blocks(4608, 512) >= MULTIPROCESSORS
