"""maxpool2d, as it is defined.

    y[n,i,j,c] = max over a,b of  x[n, i sh - top + a, j sw - left + b, c],  positions outside the image left out

dy[n,i,j,c] is added to dx at the first of those positions, a before b, whose value is y[n,i,j,c].  A NaN is larger
than any number here, so that it is not lost.
"""

import numpy as np

from .._pooling import Pool


def largest(x, pool, y):
    """Write the largest value of each window into y."""
    (taps_h, taps_w), ((sh, sw), ((top, _), (left, _)), _, _), _ = pool
    height, width = x.shape[1:3]
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for c in range(y.shape[3]):
                    best = -np.inf
                    for row in range(max(i * sh - top, 0), min(i * sh - top + taps_h, height)):
                        for col in range(max(j * sw - left, 0), min(j * sw - left + taps_w, width)):
                            value = x[n, row, col, c]
                            if value > best or value != value:
                                best = value
                    y[n, i, j, c] = best


def largest_to_input(x, y, dy, pool, dx):
    """Write the gradient of sum(y * dy) for x into dx."""
    (taps_h, taps_w), ((sh, sw), ((top, _), (left, _)), _, _), _ = pool
    height, width = x.shape[1:3]
    dx[:] = 0
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for c in range(y.shape[3]):
                    best, found = y[n, i, j, c], False
                    for row in range(max(i * sh - top, 0), min(i * sh - top + taps_h, height)):
                        for col in range(max(j * sw - left, 0), min(j * sw - left + taps_w, width)):
                            value = x[n, row, col, c]
                            if not found and (value == best or (value != value and best != best)):
                                dx[n, row, col, c] += dy[n, i, j, c]
                                found = True


def maxpool2d_forward_reference(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the largest value of each window"""
    largest(x, pool, y)
    return y


def maxpool2d_backward_reference(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, pool: Pool, dx: np.ndarray
) -> np.ndarray:
    """dx = the sum of dy of all windows whose first largest pixel it is"""
    largest_to_input(x, y, dy, pool, dx)
    return dx
