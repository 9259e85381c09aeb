"""What the drawn cases of a GPU's convolutions are too small for: each size of a tile, and sums in chunks."""

from typing import Any

import numpy as np
import pytest
from cuda_conv_cases import assert_within_rounding, case_of, on_emulator
from emulator.device import install
from kernel_cases import conv2d as cases
from rung_cases import BOUND

from minicnn import kernels
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels._epilogue import Epilogue
from minicnn.kernels._gpu import blocks as blocks
from minicnn.kernels._gpu.blocks import SINGLE, TILES, Blocking, blocking
from minicnn.kernels._shapes import Window
from minicnn.kernels.conv2d import cuda_tiled
from minicnn.kernels.conv2d._cuda_choice import choose_on_cuda as choose
from minicnn.kernels.conv2d._cuda_sizes import cuda_sizes
from minicnn.kernels.conv2d.cuda_winograd import convolve

pytestmark = pytest.mark.cuda_emulated
STEADY = Window((1, 1), ((1, 1), (1, 1)), (1, 1))
FORWARD = [s.rung for s in kernels.specs("cuda") if (s.op, s.direction) == ("conv2d", "forward")]
BUILDS = [(tile, 4) for tile in TILES] + [(tile, 1) for tile in SINGLE]


@pytest.mark.parametrize(("mode", "chunk_steps"), [("fast", 99), ("checked", 2)])
@pytest.mark.parametrize(("tile", "vector"), BUILDS, ids=str)
def test_every_tile_of_the_implicit_product(tile, vector, chunk_steps, mode, monkeypatch):
    import minicnn.kernels.conv2d.cuda_blocked as rung

    monkeypatch.setattr(rung, "blocking", lambda *shapes, **options: Blocking(*tile, vector, chunk_steps))
    case = case_of(8 if vector == 4 else 5, 68 if vector == 4 else 67)
    there, device = on_emulator(case, mode)
    found = device.to_host(cases.run(there, np.float32, "v4_blocked", "forward"))
    assert_within_rounding(found, case)


@pytest.mark.parametrize("mode", ["fast", "checked"])
@pytest.mark.parametrize(("tile", "vector"), BUILDS, ids=str)
def test_every_tile_of_the_products_at_points(tile, vector, mode, monkeypatch):
    import minicnn.kernels.conv2d.cuda_product as rung

    monkeypatch.setattr(rung, "blocking", lambda *shapes, **options: Blocking(*tile, vector, 1))
    batch, rows, depth, columns = (2, 165, 20, 68) if vector == 4 else (2, 165, 17, 67)
    rng, device = np.random.default_rng(2), install(mode)
    a, b = (rng.uniform(-2, 2, shape).astype(np.float32) for shape in ((batch, rows, depth), (batch, depth, columns)))
    y = device.xp.empty((batch, rows, columns), np.float32)
    rung.products(device.from_host(a), device.from_host(b), (batch, rows, depth, columns), y)
    exact, magnitude = a.astype(np.float64) @ b, np.abs(a).astype(np.float64) @ np.abs(b)
    assert np.all(np.abs(device.to_host(y) - exact) <= BOUND * magnitude)


@pytest.mark.parametrize("rung", ["v4_blocked", "v7_tensor_tf32", "v8_tensor_bf16"])
def test_a_row_of_the_residual_is_asked_for_before_any_of_it_is_written(rung):
    """On a GPU each read behind a write would wait for it; here the writes of y show, if a read comes behind one."""
    apart = 16 if rung == "v4_blocked" else 8  # numbers of a row that a thread writes one after the other
    device = install("fast")
    both = device.from_host(np.arange(3 * apart, dtype=np.float32))
    residual, y = (both[start : start + 2 * apart].reshape(1, 1, 1, -1) for start in (0, apart))
    x, w = device.xp.zeros((1, 1, 1, 4), np.float32), device.xp.zeros((1, 1, 4, 2 * apart), np.float32)
    spec = next(s for s in kernels.specs("cuda") if (s.op, s.direction, s.rung) == ("conv2d", "forward", rung))
    spec.fn(x, w, Window((1, 1), ((0, 0), (0, 0)), (1, 1)), Epilogue(residual=residual), y)
    assert device.to_host(y).ravel().tolist() == list(range(2 * apart))


@pytest.mark.parametrize("mode", ["fast", "checked"])
def test_channels_that_have_no_room_together_are_added_in_turn(mode, monkeypatch):
    monkeypatch.setattr(cuda_tiled, "SHARED_FLOATS", 2000)
    case = case_of(7, 40)
    assert cuda_tiled.staged(case["w"].shape, Window((2, 1), ((1, 1), (1, 1)), (1, 2)))[0] < 7
    there, device = on_emulator(case, mode)
    assert_within_rounding(device.to_host(cases.run(there, np.float32, "v3_tiled", "forward")), case)


def test_a_window_that_has_no_room_is_refused():
    device = install("fast")
    x, w = device.xp.zeros((1, 64, 64, 1), np.float32), device.xp.zeros((40, 40, 1, 1), np.float32)
    with pytest.raises(UnsupportedError, match="40 x 40"):
        kernels.conv2d.forward(x, w, rung="v3_tiled")


@pytest.mark.parametrize("rung", ["v5_winograd_2", "v6_winograd_4"])
def test_tiles_that_have_no_room_together_are_done_in_turn(rung, monkeypatch):
    import minicnn.kernels.conv2d.cuda_winograd as winograd

    rng, device = np.random.default_rng(3), install("checked")
    x, w = rng.uniform(-2, 2, (3, 9, 10, 5)).astype(np.float32), rng.uniform(-2, 2, (3, 3, 5, 6)).astype(np.float32)
    there = device.from_host(x), device.from_host(w)
    together = kernels.conv2d.forward(*there, padding="same", rung=rung)
    monkeypatch.setattr(winograd, "WORKSPACE", 1)
    monkeypatch.setattr(winograd, "LEAST_TILES", 4)
    in_turn = kernels.conv2d.forward(*there, padding="same", rung=rung)
    np.testing.assert_array_equal(device.to_host(in_turn), device.to_host(together))
    assert device.launched.count(("cuda_winograd.cu", "conv2d_winograd_image")) > 2


def test_an_image_with_more_numbers_than_kernels_count_to_is_refused():
    with pytest.raises(ArgumentError, match="more than kernels for a GPU count to"):
        cuda_sizes((1, 1 << 16, 1 << 15, 1), (1, 1, 1, 1), (1, 1 << 16, 1 << 15, 1), STEADY)
    x = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (1, 1 << 16, 1 << 15, 1), (0, 0, 0, 0))
    with pytest.raises(ArgumentError, match="more than kernels for a GPU count to"):
        convolve(4, x, np.zeros((36, 1, 1)), (1, 1), Epilogue(), np.zeros((1, 1, 1, 1)))


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
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_reach_the_windows_that_see_them_and_no_others(value, rung):
    rng = np.random.default_rng(1)
    x, w = rng.uniform(-2, 2, (1, 12, 12, 5)), rng.uniform(1, 2, (3, 3, 5, 8))
    x[0, 4, 1, 2] = value
    expected = kernels.conv2d.forward(x, w, rung="reference")
    device = install("fast")
    there = (device.from_host(array.astype(np.float32)) for array in (x, w))
    found = device.to_host(kernels.conv2d.forward(*there, activation="relu", rung=rung))
    lost, seen = ~np.isfinite(found), ~np.isfinite(expected)
    if "winograd" in rung:  # others of the same tile lose theirs too, and the difference of two infinities is none
        seen_by_a_tile = np.zeros_like(seen)
        seen_by_a_tile[0, :8, :4] = True
        assert np.all(lost[seen])
        assert not np.any(lost[~seen_by_a_tile])
    else:
        np.testing.assert_array_equal(lost, seen)
        np.testing.assert_array_equal(found[lost], expected[seen])


def chosen(x: tuple[int, ...], w: tuple[int, ...], **options: Any) -> str:
    """The rung that runs by default on arrays of these shapes."""
    device = install("fast")
    with kernels.record() as calls:
        kernels.conv2d.forward(device.xp.zeros(x, np.float32), device.xp.zeros(w, np.float32), **options)
    return calls[-1][2]


def test_winograd_runs_by_default_where_it_can_and_channels_are_many():
    assert chosen((1, 14, 14, 96), (3, 3, 96, 96)) == "v4_blocked"  # few tiles for the values of so many weights
    assert choose((64, 56, 56, 256), (3, 3, 256), STEADY, prepared=False) == "v6_winograd_4"
    assert choose((64, 56, 56, 256), (3, 3, 2048), STEADY, prepared=False) == "v5_winograd_2"
    assert choose((64, 112, 112, 32), (3, 3, 16), STEADY, prepared=False) == "v4_blocked"
    assert choose((1, 14, 14, 512), (3, 3, 512), STEADY, prepared=True) == "v6_winograd_4"


def test_what_winograd_and_wide_tiles_cannot_do_runs_on_other_rungs_by_default():
    assert chosen((2, 9, 9, 8), (3, 3, 8, 8), strides=2) == "v4_blocked"
    assert chosen((2, 9, 9, 8), (5, 5, 8, 8)) == "v4_blocked"
    assert chosen((2, 9, 9, 8), (3, 3, 2, 16), groups=4) == "v1_direct"


@pytest.mark.parametrize("rung", ["v5_winograd_2", "v6_winograd_4"])
def test_a_kernel_prepared_for_winograd_lies_on_the_device(rung):
    rng, device = np.random.default_rng(4), install("fast")
    x, w = (device.from_host(rng.uniform(-2, 2, shape).astype(np.float32)) for shape in ((1, 9, 9, 5), (3, 3, 5, 8)))
    with kernels.use("conv2d", rung=rung):
        prepared = kernels.conv2d.prepare(w, x.shape)
    assert kernels.device_of(prepared.data) == device.name
    with kernels.record() as calls:
        found = kernels.conv2d.forward(x, prepared)
    assert calls == [("conv2d", "forward", rung)]
    np.testing.assert_array_equal(found.get(), kernels.conv2d.forward(x, w, rung=rung).get())


def test_a_kernel_for_another_rung_is_prepared_as_it_is():
    w = install("fast").xp.zeros((3, 3, 5, 8), np.float32)
    assert kernels.conv2d.prepare(w, (None, 9, 9, 5), strides=2) is w
    with kernels.use("conv2d", rung="v3_tiled"):
        assert kernels.conv2d.prepare(w, (None, 9, 9, 5)) is w
    wide = install("fast").xp.zeros((3, 3, 64, 64), np.float32)
    assert kernels.conv2d.prepare(wide, (None, 56, 56, 64)).rung == "v6_winograd_4"


@pytest.mark.parametrize("rung", FORWARD)
@pytest.mark.parametrize("channels", [5, 12])
def test_nan_of_a_weight_stays_within_its_filter(channels, rung):
    w = np.ones((3, 3, channels, 8), np.float32)
    w[0, 0, 0, 0] = np.nan
    device = install("fast")
    x, w = device.xp.ones((2, 7, 7, channels), np.float32), device.from_host(w)
    lost = np.isnan(device.to_host(kernels.conv2d.forward(x, w, rung=rung)))
    assert np.all(lost[..., 0])
    assert not np.any(lost[..., 1:])
