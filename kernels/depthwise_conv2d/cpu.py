"""v3_vector: one idea: channels never mix, so a vector register holds neighbouring channels, and a few neighbouring
pixels are summed side by side.

Both the output and the input gradient are walks over `AxisPlan`s: a pixel of the result, its run of taps, and where
the first tap reads.  Pixels with the same run of taps are taken PIXELS at a time.  A channel multiplier M > 1 is
brought back to M = 1 by repeating each channel of x.
"""

from typing import NamedTuple

import numpy as np

from .._arrays import operand
from .._epilogue import LIMITS, Epilogue
from .._finish import finish
from .._jit import helper, kernel
from .._shapes import Window, ceil_div
from .._taps import AxisPlan, axis_plans, backward_axis, forward_axis
from .._threads import STREAMED, parallel_for
from .cpu_simd import LANES, NARROW, PIXELS, pixel_product, pixels_product

CHUNKS = 16  # partial sums of the weight gradient, at the most
NO_LIMITS = LIMITS[None]


class Geometry(NamedTuple):
    """Sizes for compiled code: of the image that is read, the one that is written, and the window."""

    images: int
    height: int
    width: int
    out_height: int
    out_width: int
    channels: int
    taps_h: int
    taps_w: int


@helper
def vector_width(channels):
    """Lanes to use when so many channels are left."""
    if channels >= LANES:
        return LANES
    if channels >= NARROW:
        return NARROW
    return 1


@kernel
def _walk_rows(start, stop, x, w, bias, g, rows, columns, limits, y):
    """Rows start..stop-1 of all images of y: each pixel the sum of its taps."""
    channels = g.channels
    w_row, w_step = rows.tap_step * g.taps_w * channels, columns.tap_step * channels
    x_row, x_step = rows.input_step * g.width * channels, columns.input_step * channels
    x_pixel, y_pixel = columns.advance * channels, columns.classes * channels
    for row in range(start, stop):
        n, i = row // g.out_height, row % g.out_height
        x_first = (n * g.height + rows.start[i]) * g.width
        for residue in range(columns.classes):
            j = residue
            while j < g.out_width:
                several = columns.run[j] >= PIXELS
                counts = (rows.taps[i], columns.taps[j])
                x_start = (x_first + columns.start[j]) * channels
                w_start = (rows.first_tap[i] * g.taps_w + columns.first_tap[j]) * channels
                y_start = (row * g.out_width + j) * channels
                c = 0
                while c < channels:
                    lanes = vector_width(channels - c)
                    x_at, w_at = (x_start + c, x_pixel, x_row, x_step), (w_start + c, w_row, w_step)
                    if several:
                        pixels_product(lanes, counts, x, x_at, w, w_at, bias, (c, 0), y, (y_start + c, y_pixel), limits)
                    else:
                        pixel_product(lanes, counts, x, x_at, w, w_at, bias, (c, 0), y, (y_start + c, y_pixel), limits)
                    c += lanes
                j += (PIXELS if several else 1) * columns.classes


@kernel
def _weight_chunks(start, stop, x, dy, g, rows, columns, inside, chunk, sums):
    """sums[k] (KH,KW,C) = the weight gradient of rows k * chunk ... of all images of dy."""
    channels = g.channels
    for k in range(start, stop):
        total = sums[k]
        total[:] = 0
        for row in range(k * chunk, min((k + 1) * chunk, g.images * g.out_height)):
            n, i = row // g.out_height, row % g.out_height
            for a in range(rows.taps[i]):
                x_row = ((n * g.height + rows.start[i] + a * rows.input_step) * g.width) * channels
                w_row = (rows.first_tap[i] + a) * g.taps_w * channels
                y_row = row * g.out_width * channels
                c = 0
                while c < channels:
                    lanes = vector_width(channels - c)
                    _add_row(x, x_row + c, dy, y_row + c, total, w_row + c, g, columns, inside, lanes)
                    c += lanes


@helper
def _add_row(x, x_row, dy, y_row, total, w_row, g, columns, inside, lanes):
    """Add x * dy, over one row of dy, to a row of taps; the columns from inside[0] to inside[1] - 1 meet all taps."""
    channels, (first, end) = g.channels, inside
    no_limits = (np.float32(-np.inf), np.float32(np.inf))
    step = columns.input_step * channels
    for j in range(g.out_width):
        if first <= j < end:
            continue
        for b in range(columns.taps[j]):
            x_at = (x_row + (columns.start[j] + b * columns.input_step) * channels, 0, 0, 0)
            w_at = (w_row + (columns.first_tap[j] + b) * channels, 0)
            y_at = (y_row + j * channels, 0, 0)
            pixel_product(lanes, (1, 1), x, x_at, dy, y_at, total, w_at, total, w_at, no_limits)
    b = 0
    while b < g.taps_w and first < end:
        x_at = (x_row + columns.start[first] * channels + b * step, step, 0, columns.advance * channels)
        w_at = (w_row + b * channels, channels)
        y_at = (y_row + first * channels, 0, channels)
        if b + PIXELS <= g.taps_w:
            pixels_product(lanes, (1, end - first), x, x_at, dy, y_at, total, w_at, total, w_at, no_limits)
            b += PIXELS
        else:
            pixel_product(lanes, (1, end - first), x, x_at, dy, y_at, total, w_at, total, w_at, no_limits)
            b += 1


@kernel
def _repeat_rows(start, stop, x, multiplier, wide):
    """Rows start..stop-1 of wide (rows, M): each number of x M times."""
    for r in range(start, stop):
        wide[r * multiplier : (r + 1) * multiplier] = x[r]


def one_filter(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and w, contiguous, with each channel repeated for each of its M filters: (N,H,W,C*M), (KH,KW,C*M)."""
    filters, multiplier = operand(w.reshape(*w.shape[:2], -1)), w.shape[3]
    if multiplier == 1:
        return operand(x), filters
    wide = np.empty((*x.shape[:3], x.shape[3] * multiplier), np.float32)
    parallel_for(_repeat_rows, x.size, STREAMED * wide.size, operand(x).reshape(-1), multiplier, wide.reshape(-1))
    return wide, filters


def _walk(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray,
    plans: tuple[AxisPlan, AxisPlan],
    limits: tuple[np.float32, np.float32],
    y: np.ndarray,
) -> None:
    g = Geometry._make((*x.shape[:3], *y.shape[1:], *w.shape[:2]))
    work = y.size * w.shape[0] * w.shape[1]
    parallel_for(
        _walk_rows, len(y) * y.shape[1], work, x.reshape(-1), w.reshape(-1), bias, g, *plans, limits, y.reshape(-1)
    )


def depthwise_conv2d_forward_v3_vector(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(depthwise(x, w) + bias + residual), a row of pixels at a time"""
    x, filters = one_filter(x, w)
    plans = axis_plans(forward_axis, x.shape[1:3], y.shape[1:3], w.shape[:2], window)
    bias = np.zeros(y.shape[3], np.float32) if epilogue.bias is None else operand(epilogue.bias)
    if epilogue.residual is None:
        _walk(x, filters, bias, plans, epilogue.operands(1)[-1], y)
        return epilogue.rest(y)
    _walk(x, filters, bias, plans, NO_LIMITS, y)
    return finish(y, Epilogue(None, epilogue.activation, epilogue.residual))


def depthwise_conv2d_backward_input_v3_vector(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = the sum of dy * w over every window that saw the pixel, a row of pixels at a time"""
    multiplier = w.shape[3]
    filters = operand(w.reshape(*w.shape[:2], -1))
    plans = axis_plans(backward_axis, dx.shape[1:3], dy.shape[1:3], w.shape[:2], window)
    gradient = dx if multiplier == 1 else np.empty((*dx.shape[:3], filters.shape[2]), np.float32)
    zeros = np.zeros(filters.shape[2], np.float32)
    _walk(operand(dy), filters, zeros, plans, NO_LIMITS, gradient)
    if multiplier != 1:
        np.add.reduce(gradient.reshape(*dx.shape, multiplier), axis=-1, out=dx)
    return dx


def depthwise_conv2d_backward_weights_v3_vector(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the sum of x * dy over every position of the window, in chunks of rows that are added in order"""
    x, filters = one_filter(x, dw)
    plans = axis_plans(forward_axis, x.shape[1:3], dy.shape[1:3], dw.shape[:2], window)
    g = Geometry._make((*x.shape[:3], *dy.shape[1:], *dw.shape[:2]))
    rows = len(dy) * dy.shape[1]
    chunk = max(1, ceil_div(rows, CHUNKS))
    sums = np.empty((ceil_div(rows, chunk), filters.size), np.float32)
    whole = np.flatnonzero(plans[1].taps == g.taps_w)
    inside = (int(whole[0]), int(whole[-1]) + 1) if whole.size else (0, 0)
    arrays = x.reshape(-1), operand(dy).reshape(-1)
    parallel_for(_weight_chunks, len(sums), dy.size * g.taps_h * g.taps_w, *arrays, g, *plans, inside, chunk, sums)
    np.add.reduce(sums, axis=0, out=dw.reshape(-1))
    return dw
