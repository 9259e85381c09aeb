"""v3_vector: one idea: all channels of a pixel at once, so that the inner loop runs along memory and is vectorised.

Forward, a block is a row of y.  Backward, a block is a band of rows of dx: it walks over every window that reaches
into the band, in order, and writes its own rows only, so that threads never meet.
"""

import numpy as np

from .._arrays import operand
from .._jit import helper, kernel
from .._pooling import Pool, Sizes
from .._shapes import ceil_div
from .._taps import axis_plans, forward_axis
from .._threads import parallel_for

LEAST = np.float32(-np.inf)
BAND = 8  # rows of dx in a band, at the least


@helper
def _take_larger(values, best):
    for c in range(values.size):
        value, least = values[c], best[c]
        best[c] = value if value > least or value != value else least


@kernel
def _max_rows(start, stop, x, g, rows, columns, y):
    """Rows start..stop-1 of all images of y."""
    for row in range(start, stop):
        n, i = row // g.out_height, row % g.out_height
        for j in range(g.out_width):
            to = (row * g.out_width + j) * g.channels
            best = y[to : to + g.channels]
            for c in range(best.size):
                best[c] = LEAST
            for a in range(rows.taps[i]):
                for b in range(columns.taps[j]):
                    at = ((n * g.height + rows.start[i] + a) * g.width + columns.start[j] + b) * g.channels
                    _take_larger(x[at : at + g.channels], best)


@helper
def _give(values, best, left, dx):
    """Add what is `left` of dy to the pixels that are the largest, and leave nothing for later ones."""
    for c in range(values.size):
        value, gradient = values[c], left[c]
        hit = value >= best[c] or value != value  # only a window with a NaN has best NaN: its first NaN is hit
        dx[c] += gradient if hit else np.float32(0)
        left[c] = np.float32(0) if hit else gradient


@kernel
def _give_bands(start, stop, x, y, dy, g, rows, columns, band, dx):
    """Bands start..stop-1 of all images of dx."""
    bands = (g.height + band - 1) // band
    left, elsewhere = np.empty(g.channels, np.float32), np.zeros(g.channels, np.float32)
    for block in range(start, stop):
        n, top = block // bands, block % bands * band
        bottom = min(top + band, g.height)
        rows_of_dx = dx[(n * g.height + top) * g.width * g.channels : (n * g.height + bottom) * g.width * g.channels]
        for at in range(rows_of_dx.size):
            rows_of_dx[at] = 0
        for i in range(g.out_height):
            first, last = rows.start[i], min(rows.start[i] + rows.taps[i], bottom)
            if first + rows.taps[i] <= top or first >= bottom:
                continue
            for j in range(g.out_width):
                window = ((n * g.out_height + i) * g.out_width + j) * g.channels
                best = y[window : window + g.channels]
                gradient = dy[window : window + g.channels]
                for c in range(g.channels):
                    left[c] = gradient[c]
                for row in range(first, last):
                    for b in range(columns.taps[j]):
                        at = ((n * g.height + row) * g.width + columns.start[j] + b) * g.channels
                        target = dx[at : at + g.channels] if row >= top else elsewhere
                        _give(x[at : at + g.channels], best, left, target)


def maxpool2d_forward_v3_vector(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the largest value of each window, a row of windows at a time"""
    g = Sizes._make((*x.shape, *y.shape[1:3]))
    plans = axis_plans(forward_axis, x.shape[1:3], y.shape[1:3], pool.taps, pool.window)
    arrays = operand(x).reshape(-1), g, *plans, y.reshape(-1)
    parallel_for(_max_rows, g.images * g.out_height, y.size * pool.taps[0] * pool.taps[1], *arrays)
    return y


def maxpool2d_backward_v3_vector(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, pool: Pool, dx: np.ndarray
) -> np.ndarray:
    """dx = the sum of dy of all windows whose first largest pixel it is, a band of rows at a time"""
    g = Sizes._make((*x.shape, *y.shape[1:3]))
    plans = axis_plans(forward_axis, x.shape[1:3], y.shape[1:3], pool.taps, pool.window)
    stride = pool.window.strides[0]
    band = ceil_div(max(BAND, pool.taps[0]), stride) * stride
    arrays = [operand(array).reshape(-1) for array in (x, y, dy)]
    blocks = g.images * ceil_div(g.height, band)
    parallel_for(_give_bands, blocks, y.size * pool.taps[0] * pool.taps[1], *arrays, g, *plans, band, dx.reshape(-1))
    return dx
