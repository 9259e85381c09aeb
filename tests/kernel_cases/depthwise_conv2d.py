"""depthwise_conv2d: cases and how a rung is run on them."""

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from strategies import arrays, paddings

from minicnn.errors import ShapeError
from minicnn.kernels import KernelSpec, depthwise_conv2d, resolve_window
from minicnn.kernels.depthwise_conv2d._choice import CUDA_COLUMNS, columns_fit

NAMES = ("x", "w", "bias", "residual", "dy")


@st.composite
def cases(draw: Any, values: Any = arrays, columns: KernelSpec | None = None) -> dict[str, Any]:
    """x, w, bias, residual, dy and the options of one depthwise convolution; strides and dilation may meet.

    `columns`: one that this rung, a v4_columns, can do.
    """
    channels = draw(st.sampled_from([1, 3, 16, 23, 40] if columns else [1, 2, 5, 16, 23]))
    multiplier = draw(st.sampled_from([1, 1, 1, 2, 3]))
    taps = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    size = draw(st.tuples(st.integers(1, 9), st.integers(7, 25) if columns else st.integers(1, 9)))
    gaps = st.sampled_from([1, 1, 2, 3])
    options = {
        "strides": draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        "dilation": draw(st.tuples(gaps, st.just(1) if columns else gaps)),
        "padding": draw(paddings()),
    }
    if columns is not None and columns.device == "cuda":
        channels, multiplier, taps, options["strides"] = draw(_columns_on_cuda(columns.direction))
    x = draw(values((draw(st.integers(0, 3)), *size, channels)))
    w = draw(values((*taps, channels, multiplier)))
    try:
        y = depthwise_conv2d.forward(x, w, **options, rung="v2_taps")
    except ShapeError:
        assume(False)
        raise
    if columns is not None and columns.device == "cpu":
        window = resolve_window(size, taps, **options)
        assume(columns_fit(w.shape, window, y.shape))
    return {
        "x": x, "w": w, "bias": draw(values(y.shape[3:])), "residual": draw(values(y.shape)),
        "dy": draw(values(y.shape)), "options": options, "add": draw(st.booleans()),
        "activation": draw(st.sampled_from([None, "relu", "relu6"])),
    }  # fmt: skip


@st.composite
def _columns_on_cuda(draw: Any, direction: str) -> tuple[int, int, tuple[int, int], tuple[int, int]]:
    """(channels, filters of each, taps, strides) that v4_columns can do on a GPU."""
    strides = (1, 1) if direction == "backward_input" else (draw(st.integers(1, 3)), draw(st.integers(1, 2)))
    taps = draw(st.sampled_from([taps for taps, stride in CUDA_COLUMNS if stride == strides[1]]))
    return draw(st.sampled_from([4, 16, 36])), 1, (draw(st.integers(1, 5)), taps), strides


def run(case: dict[str, Any], dtype: Any, rung: str, direction: str) -> np.ndarray:
    """The output of one direction."""
    x, w, bias, residual, dy = (case[name].astype(dtype, copy=False) for name in NAMES)
    options = case["options"]
    if direction == "forward":
        epilogue = {"activation": case["activation"], "residual": residual if case["add"] else None}
        return depthwise_conv2d.forward(x, w, bias, **epilogue, **options, rung=rung)
    if direction == "backward_input":
        return depthwise_conv2d.backward_input(dy, w, x.shape, **options, rung=rung)
    return depthwise_conv2d.backward_weights(x, dy, w.shape, **options, rung=rung)


def magnitude(case: dict[str, Any], direction: str) -> np.ndarray:
    """Sum of |products| behind each output."""
    absolute = {**case, "activation": None, **{name: np.abs(case[name]) for name in NAMES}}
    return run(absolute, np.float64, "v2_taps", direction)
