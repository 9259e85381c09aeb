"""avgpool2d, as it is defined.

    y[n,i,j,c] = 1/K sum over a,b of  x[n, i sh - top + a, j sw - left + b, c]

over the K positions of the window that lie inside the image.  Each of them gets dy[n,i,j,c] / K.
"""

import numpy as np

from .._pooling import Pool


def average(x, pool, y):
    """Write the mean of each window into y."""
    (taps_h, taps_w), ((sh, sw), ((top, _), (left, _)), _, _), _ = pool
    height, width = x.shape[1:3]
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            row0, row1 = max(i * sh - top, 0), min(i * sh - top + taps_h, height)
            for j in range(y.shape[2]):
                col0, col1 = max(j * sw - left, 0), min(j * sw - left + taps_w, width)
                for c in range(y.shape[3]):
                    total = y.dtype.type(0)
                    for row in range(row0, row1):
                        for col in range(col0, col1):
                            total += x[n, row, col, c]
                    y[n, i, j, c] = total / ((row1 - row0) * (col1 - col0))


def average_to_input(dy, pool, dx):
    """Write the gradient of sum(y * dy) for x into dx."""
    (taps_h, taps_w), ((sh, sw), ((top, _), (left, _)), _, _), _ = pool
    height, width = dx.shape[1:3]
    dx[:] = 0
    for n in range(dy.shape[0]):
        for i in range(dy.shape[1]):
            row0, row1 = max(i * sh - top, 0), min(i * sh - top + taps_h, height)
            for j in range(dy.shape[2]):
                col0, col1 = max(j * sw - left, 0), min(j * sw - left + taps_w, width)
                for c in range(dy.shape[3]):
                    share = dy[n, i, j, c] / ((row1 - row0) * (col1 - col0))
                    for row in range(row0, row1):
                        for col in range(col0, col1):
                            dx[n, row, col, c] += share


def avgpool2d_forward_reference(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the mean of each window"""
    average(x, pool, y)
    return y


def avgpool2d_backward_reference(dy: np.ndarray, pool: Pool, dx: np.ndarray) -> np.ndarray:
    """dx = the sum of dy / K over every window that saw the pixel"""
    average_to_input(dy, pool, dx)
    return dx
