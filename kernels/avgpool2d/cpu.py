"""v3_vector: one idea: all channels of a pixel at once, so that the inner loop runs along memory and is vectorised.

Forward, a block is a row of y and gathers the pixels of its windows; backward, a block is a row of dx and gathers
its share of every window that saw it.  Each number is summed by one thread, in scan order.
"""

import numpy as np

from .._arrays import operand
from .._jit import kernel
from .._pooling import Pool, Sizes
from .._taps import axis_plans, backward_axis, forward_axis
from .._threads import parallel_for


@kernel
def _average_rows(start, stop, x, g, rows, columns, y):
    """Rows start..stop-1 of all images of y."""
    for row in range(start, stop):
        n, i = row // g.out_height, row % g.out_height
        for j in range(g.out_width):
            to = (row * g.out_width + j) * g.channels
            total = y[to : to + g.channels]
            total[:] = 0
            for a in range(rows.taps[i]):
                for b in range(columns.taps[j]):
                    at = ((n * g.height + rows.start[i] + a) * g.width + columns.start[j] + b) * g.channels
                    values = x[at : at + g.channels]
                    for c in range(g.channels):
                        total[c] += values[c]
            pixels = np.float32(rows.taps[i] * columns.taps[j])
            for c in range(g.channels):
                total[c] /= pixels


@kernel
def _share_rows(start, stop, dy, g, forward, backward, dx):
    """Rows start..stop-1 of all images of dx."""
    (window_rows, window_columns), (rows, columns) = forward, backward
    for row in range(start, stop):
        n, h = row // g.height, row % g.height
        for w in range(g.width):
            to = (row * g.width + w) * g.channels
            total = dx[to : to + g.channels]
            total[:] = 0
            for a in range(rows.taps[h]):
                i = rows.start[h] + a * rows.input_step
                for b in range(columns.taps[w]):
                    j = columns.start[w] + b * columns.input_step
                    at = ((n * g.out_height + i) * g.out_width + j) * g.channels
                    gradients = dy[at : at + g.channels]
                    pixels = np.float32(window_rows.taps[i] * window_columns.taps[j])
                    for c in range(g.channels):
                        total[c] += gradients[c] / pixels


def avgpool2d_forward_v3_vector(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the mean of each window, a row of windows at a time"""
    g = Sizes._make((*x.shape, *y.shape[1:3]))
    plans = axis_plans(forward_axis, x.shape[1:3], y.shape[1:3], pool.taps, pool.window)
    arrays = operand(x).reshape(-1), g, *plans, y.reshape(-1)
    parallel_for(_average_rows, g.images * g.out_height, y.size * pool.taps[0] * pool.taps[1], *arrays)
    return y


def avgpool2d_backward_v3_vector(dy: np.ndarray, pool: Pool, dx: np.ndarray) -> np.ndarray:
    """dx = the sum of dy / K over every window that saw the pixel, a row of pixels at a time"""
    g = Sizes._make((*dx.shape, *dy.shape[1:3]))
    sizes = dx.shape[1:3], dy.shape[1:3], pool.taps, pool.window
    plans = axis_plans(forward_axis, *sizes), axis_plans(backward_axis, *sizes)
    arrays = operand(dy).reshape(-1), g, *plans, dx.reshape(-1)
    parallel_for(_share_rows, g.images * g.height, dy.size * pool.taps[0] * pool.taps[1], *arrays)
    return dx
