"""v4_columns on a GPU: what cuda_columns.cu is launched with."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._epilogue import PLAIN, Epilogue
from .._gpu.file import CudaFile, ints
from .._gpu.lanes import aligned
from .._shapes import Window, ceil_div
from ._choice import CUDA_COLUMNS, cuda_columns_fit
from .cuda import refuse_too_many
from .cuda_vector import ACROSS, PIXELS, SLICES, add_chunks, chunk_rows_of, empty_parts, flat

VARIANTS = {(taps, stride): (f"TAPS={taps}", f"STRIDE={stride}") for taps, stride in CUDA_COLUMNS}
FILE = CudaFile("depthwise_conv2d/cuda_columns.cu", variants=tuple(VARIANTS.values()))


def _variant(direction: str, *arguments: Any) -> tuple[str, ...]:
    """The build for what a rung is called with.

    Raises
    ------
    UnsupportedError, ArgumentError
        The rung cannot do it, or no kernel counts so far.
    """
    window, w = arguments[2], arguments[3 if direction == "backward_weights" else 1]
    if not cuda_columns_fit(direction, *arguments):
        raise UnsupportedError(
            f"v4_columns of depthwise_conv2d takes windows of (columns, stride) {', '.join(map(str, CUDA_COLUMNS))}, "
            "not dilated along a row, and one filter for each of 4, 8, 12 ... channels; the gradient for x must not be "
            f"strided: w is {w.shape}, {window}"
        )
    refuse_too_many(w.shape, *(arguments[i].shape[1:] for i in (0, 1, -1)))
    return VARIANTS[w.shape[1], window.strides[1]]


def _walk(x: Any, w: Any, epilogue: Epilogue, y: Any, sizes: tuple, flipped: bool, variant: tuple[str, ...]) -> Any:
    """y = the windows of x, by `sizes` (taps, step, top, left, gap), of which the second and the last are of rows."""
    bias, residual = (None if array is None else aligned(array) for array in (epilogue.bias, epilogue.residual))
    images, rows, columns, channels = y.shape
    count = images * rows * ceil_div(columns, PIXELS) * (channels // 4)
    arrays = aligned(x), aligned(flat(w)), bias, residual, y
    numbers = np.int64(count), *ints(flipped, *x.shape[1:], rows, columns, *sizes)
    FILE.each(y, "depthwise_conv2d_forward_v4_columns", count, *arrays, *epilogue.limits, *numbers, variant=variant)
    return epilogue.rest(y)


def depthwise_conv2d_forward_v4_columns(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(depthwise(x, w) + bias + residual), PIXELS pixels of a row for every thread"""
    variant = _variant("forward", x, w, window, epilogue, y)
    (top, _), (left, _) = window.padding
    return _walk(x, w, epilogue, y, (w.shape[0], window.strides[0], top, left, window.dilation[0]), False, variant)


def depthwise_conv2d_backward_input_v4_columns(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = the windows of dy under the weights from last to first"""
    variant = _variant("backward_input", dy, w, window, dx)
    (top, _), (left, _) = window.padding
    gap = window.dilation[0]
    sizes = w.shape[0], 1, (w.shape[0] - 1) * gap - top, w.shape[1] - 1 - left, gap
    return _walk(dy, w, PLAIN, dx, sizes, True, variant)


def depthwise_conv2d_backward_weights_v4_columns(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the sum of x * dy over every position of the window, in chunks of rows that are added in order"""
    variant = _variant("backward_weights", x, dy, window, dw)
    if not dy.size:
        dw.fill(0)
        return dw
    rows, channels, (top, _), (left, _) = dy.shape[0] * dy.shape[1], dy.shape[3], *window.padding
    chunk_rows = chunk_rows_of(dy.shape, dw.shape[0] * ceil_div(channels, 4 * ACROSS))
    parts = empty_parts(ceil_div(rows, chunk_rows), dw)
    sizes = *x.shape[1:], *dy.shape[1:3], window.strides[0], top, left, window.dilation[0]
    grid, kernel = (ceil_div(channels, 4 * ACROSS), len(dw), len(parts)), "depthwise_conv2d_backward_weights_v4_columns"
    arrays = aligned(x), aligned(dy), parts
    FILE.launch(dw, kernel, grid, ACROSS * SLICES, *arrays, *ints(rows, chunk_rows, *sizes), variant=variant)
    return add_chunks(parts, dw)
