"""depthwise_conv2d on a GPU, emulated: sums in chunks, non-finite numbers, places in memory, the default rung."""

from typing import Any

import numpy as np
import pytest
from cuda_extremes import cuda_rungs, rungs_by_direction
from emulator.device import install
from kernel_cases import depthwise_conv2d as cases

from minicnn import kernels
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels import depthwise_conv2d
from minicnn.kernels.depthwise_conv2d._choice import CUDA_COLUMNS
from minicnn.kernels.depthwise_conv2d.cuda_vector import chunk_rows_of

pytestmark = pytest.mark.cuda_emulated
BY_DIRECTION, FORWARD = rungs_by_direction("depthwise_conv2d"), cuda_rungs("depthwise_conv2d")
every_rung = pytest.mark.parametrize(("direction", "rung"), BY_DIRECTION)
every_rung_forward = pytest.mark.parametrize("rung", FORWARD)


def case_of(size: tuple[int, int, int, int], taps: int = 3, multiplier: int = 1, **options: Any) -> dict[str, Any]:
    """Whole numbers, so that every order of summation gives the same."""
    rng = np.random.default_rng(size[3])
    x, w = (rng.integers(-3, 4, shape).astype(float) for shape in (size, (taps, taps, size[3], multiplier)))
    options = {"strides": 1, "padding": "same", "dilation": 1, **options}
    y = depthwise_conv2d.forward(x, w, **options, rung="v2_taps")
    bias, residual, dy = (rng.integers(-3, 4, shape).astype(float) for shape in (y.shape[3:], y.shape, y.shape))
    return {
        "x": x, "w": w, "bias": bias, "residual": residual, "dy": dy, "options": options, "add": True,
        "activation": "relu6",
    }  # fmt: skip


def exact(case: dict[str, Any], rung: str | None, direction: str, mode: str = "fast") -> None:
    """A rung gives the whole numbers of the definition."""
    gpu = install(mode)
    there = {key: gpu.from_host(np.float32(case[key])) for key in cases.NAMES}
    found = gpu.to_host(cases.run(case | there, np.float32, rung, direction))
    np.testing.assert_array_equal(found, cases.run(case, np.float64, "v2_taps", direction))


@pytest.mark.parametrize("mode", ["fast", "checked"])
@every_rung
def test_more_rows_and_channels_than_a_block_has(direction, rung, mode):
    assert chunk_rows_of((2, 41, 9, 36), 18) == 28  # of 82, so that there are three chunks
    exact(case_of((2, 41, 9, 36)), rung, direction, mode)


@pytest.mark.parametrize("rung", ["v3_vector", "v1_direct"])
@pytest.mark.parametrize("direction", depthwise_conv2d.ALL)
@pytest.mark.parametrize(("channels", "multiplier"), [(33, 1), (34, 1), (12, 3)])
def test_channels_of_any_number(channels, multiplier, direction, rung):
    exact(case_of((2, 20, 5, channels), 2, multiplier, strides=(1, 2), dilation=(2, 1)), rung, direction)


@pytest.mark.parametrize("direction", depthwise_conv2d.ALL)
@pytest.mark.parametrize(("taps", "stride"), CUDA_COLUMNS)
def test_every_window_of_v4_columns(taps, stride, direction):
    strides = (1, 1) if direction == "backward_input" else (2, stride)
    if strides[1] == stride:
        exact(case_of((1, 7, 18, 8), taps, strides=strides, dilation=(2, 1)), "v4_columns", direction)


def test_the_number_of_chunks_is_that_of_the_blocks_a_gpu_wants_and_no_more():
    assert chunk_rows_of((256, 112, 112, 32), 9) == 252
    assert chunk_rows_of((1, 7, 7, 960), 270) == 7
    assert chunk_rows_of((64, 14, 14, 2000), 2000) == 896


@every_rung_forward
@pytest.mark.parametrize("activation", [None, "relu", "relu6", "swish"])
def test_nan_and_infinity_stay_in_their_channel(activation, rung):
    gpu = install()
    x, w = np.ones((1, 9, 9, 20), np.float32), np.ones((3, 3, 20, 1), np.float32)
    x[0, 4, 4, 2], x[0, 4, 4, 19] = np.nan, np.inf
    found = depthwise_conv2d.forward(gpu.from_host(x), gpu.from_host(w), activation=activation, rung=rung).get()
    expected = depthwise_conv2d.forward(x, w, activation=activation, rung="reference")
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@every_rung
def test_pixels_outside_the_image_are_not_multiplied(direction, rung):
    """An infinity meets no zero of padding, which would make a NaN."""
    gpu = install("checked")
    x, w = (gpu.from_host(np.ones(shape, np.float32)) for shape in ((1, 5, 6, 4), (3, 3, 4, 1)))
    endless = gpu.from_host(np.full((1, 5, 6, 4), np.inf, np.float32))
    taken = {
        "forward": (x, w * np.inf),
        "backward_input": (endless, w, x.shape),
        "backward_weights": (x, endless, w.shape),
    }[direction]
    found = getattr(depthwise_conv2d, direction)(*taken, padding="same", rung=rung)
    assert (found.get() == np.inf).all()


@pytest.mark.parametrize(("direction", "rung"), [*((way, None) for way in depthwise_conv2d.ALL), *BY_DIRECTION])
def test_no_images(direction, rung):
    exact(case_of((0, 5, 6, 4)), rung, direction)


def test_v4_columns_is_the_default_where_it_fits():
    gpu, said = install(), []
    for channels, multiplier, options in (
        (8, 1, {}),
        (6, 1, {}),
        (8, 2, {}),
        (8, 1, {"dilation": 2}),
        (8, 1, {"strides": 2}),
    ):
        case = case_of((1, 9, 9, channels), 3, multiplier, **options)
        there = {key: gpu.from_host(np.float32(case[key])) for key in cases.NAMES}
        with kernels.record() as calls:
            for direction in depthwise_conv2d.ALL:
                cases.run(case | there, np.float32, None, direction)
        said.append([rung for _, _, rung in calls])
    columns, vector = ["v4_columns"] * 3, ["v3_vector"] * 3
    assert said == [columns, vector, vector, vector, ["v4_columns", "v3_vector", "v4_columns"]]


@pytest.mark.parametrize("case", [case_of((1, 5, 5, 6)), case_of((1, 5, 5, 4), 4), case_of((1, 5, 5, 4), 3, 2)])
@pytest.mark.parametrize("direction", depthwise_conv2d.ALL)
def test_v4_columns_refuses_what_does_not_fit(direction, case):
    with pytest.raises(UnsupportedError, match=r"v4_columns .* w is \(\d, \d, \d, \d\)"):
        exact(case, "v4_columns", direction)


@pytest.mark.parametrize("rung", cuda_rungs("depthwise_conv2d", "forward", "backward_weights"))
def test_images_with_more_numbers_than_kernels_count_to_are_refused(rung):
    """It takes no memory: x is one row again and again, and the windows are far apart."""
    gpu, options = install(), {"strides": (2**14, 1), "rung": rung}
    x = gpu.xp.broadcast_to(gpu.from_host(np.zeros((1, 1, 2, 4), np.float32)), (1, 2**28, 2, 4))
    w, dy = (gpu.from_host(np.zeros(shape, np.float32)) for shape in ((1, 3, 4, 1), (1, 2**14, 2, 4)))
    with pytest.raises(ArgumentError, match="more than kernels for a GPU count to"):
        depthwise_conv2d.forward(x, w, padding="same", **options)
    with pytest.raises(ArgumentError, match="more than kernels for a GPU count to"):
        depthwise_conv2d.backward_weights(x, dy, w.shape, padding="same", **options)


def shifted(gpu: Any, array: np.ndarray) -> Any:
    """An array of the device that begins 4 bytes after a multiple of 16."""
    room = gpu.from_host(np.concatenate([[0], array.reshape(-1)]).astype(np.float32))
    return room[1:].reshape(array.shape)


def test_arrays_that_begin_between_16_bytes():
    gpu, case = install("checked"), case_of((1, 5, 9, 8))
    x, w, bias, residual = (shifted(gpu, case[key]) for key in ("x", "w", "bias", "residual"))
    expected = cases.run(case, np.float64, "v2_taps", "forward")
    for rung in FORWARD:
        y = depthwise_conv2d.forward(x, w, bias, residual=residual, activation="relu6", padding="same", rung=rung)
        np.testing.assert_array_equal(y.get(), expected)
    out = shifted(gpu, np.zeros(expected.shape))
    with kernels.record() as calls:
        depthwise_conv2d.forward(x, w, bias, residual=residual, activation="relu6", padding="same", out=out)
    assert calls == [("depthwise_conv2d", "forward", "v3_vector")]
    np.testing.assert_array_equal(out.get(), expected)
