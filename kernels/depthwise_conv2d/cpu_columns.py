"""v4_columns: one idea: the windows of neighbouring pixels overlap, so each column of the image is loaded once for all.

v3_vector loads a number of the image for every tap that it meets, three times in a row of a 3x3 window, and loading
takes longer than multiplying.  Here PIXELS pixels of a row are summed together, in registers: as the columns of
the image pass by, each meets all the pixels that see it.  How far windows overlap is part of the program, so there is
a kernel for each number of taps and stride, compiled when it is first needed.
"""

from functools import cache
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._epilogue import Epilogue
from .._finish import finish
from .._jit import kernel
from .._shapes import Window
from .._taps import forward_axis
from .._threads import parallel_for
from ._choice import MOST_TAPS, PIXELS, columns_fit
from .cpu import NO_LIMITS, Geometry, one_filter
from .cpu_columns_simd import columns_product
from .cpu_simd import LANES


@cache
def _rows_kernel(taps: int, stride: int, lanes: int) -> Any:
    """The loops for windows of so many columns, and vectors of so many channels."""
    columns = (PIXELS - 1) * stride + taps

    @kernel
    def _columns_rows(start, stop, x, w, bias, g, rows, left, limits, y):
        """Rows start..stop-1 of all images of y, PIXELS pixels at a time; the last ones may overlap those before."""
        channels = g.channels
        x_row, w_row = rows.input_step * g.width * channels, taps * channels
        for row in range(start, stop):
            n, i = row // g.out_height, row % g.out_height
            for block in range(0, g.out_width, PIXELS):
                j = min(block, g.out_width - PIXELS)
                column = j * stride - left
                inside = (-column, min(columns, g.width - column))
                x_start = ((n * g.height + rows.start[i]) * g.width + column) * channels
                w_start = rows.first_tap[i] * w_row
                y_start = (row * g.out_width + j) * channels
                for vector in range(0, channels, lanes):
                    c = min(vector, channels - lanes)
                    x_at, w_at = (x_start + c, x_row, channels), (w_start + c, w_row, channels)
                    columns_product(
                        taps,
                        stride,
                        lanes,
                        rows.taps[i],
                        inside,
                        x,
                        x_at,
                        w,
                        w_at,
                        bias,
                        c,
                        y,
                        (y_start + c, channels),
                        limits,
                    )

    return _columns_rows


def depthwise_conv2d_forward_v4_columns(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(depthwise(x, w) + bias + residual), PIXELS pixels of a row at a time"""
    if not columns_fit(w.shape, window, y.shape):
        raise UnsupportedError(
            f"v4_columns of depthwise_conv2d takes {PIXELS} output columns or more, "
            f"and windows of at most {MOST_TAPS} columns, not dilated, with less padding than they are wide: "
            f"w is {w.shape}, y {y.shape}, {window}"
        )
    x, filters = one_filter(x, w)
    (top, _), (left, _) = window.padding
    rows = forward_axis(x.shape[1], y.shape[1], w.shape[0], window.strides[0], top, window.dilation[0])
    bias = np.zeros(y.shape[3], np.float32) if epilogue.bias is None else operand(epilogue.bias)
    limits = epilogue.operands(1)[-1] if epilogue.residual is None else NO_LIMITS
    g = Geometry._make((*x.shape[:3], *y.shape[1:], *w.shape[:2]))
    arguments = x.reshape(-1), filters.reshape(-1), bias, g, rows, left, limits, y.reshape(-1)
    work = y.size * w.shape[0] * w.shape[1]
    lanes = min(LANES, 1 << (max(1, y.shape[3]).bit_length() - 1))  # the widest vector that the channels fill
    parallel_for(_rows_kernel(w.shape[1], window.strides[1], lanes), len(y) * y.shape[1], work, *arguments)
    if epilogue.residual is None:
        return epilogue.rest(y)
    return finish(y, Epilogue(None, epilogue.activation, epilogue.residual))
