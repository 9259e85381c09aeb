"""v2_taps: one idea: for each tap one NumPy maximum, over a view of the image that is shifted to meet it.

A view holds just the pixels that the tap meets inside the image, so nothing is padded, and no padding can win.
"""

import numpy as np

from .._pooling import Pool
from .._taps import shifted_views


def maxpool2d_forward_v2_taps(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the largest value of each window"""
    y[:] = -np.inf
    for _, outputs, inputs in shifted_views(x.shape[1:3], y.shape[1:3], pool.taps, pool.window):
        np.maximum(y[outputs], x[inputs], out=y[outputs])
    return y


def maxpool2d_backward_v2_taps(x: np.ndarray, y: np.ndarray, dy: np.ndarray, pool: Pool, dx: np.ndarray) -> np.ndarray:
    """dx = the sum of dy of all windows whose first largest pixel it is"""
    dx[:] = 0
    open_windows = np.ones(y.shape, bool)
    for _, outputs, inputs in shifted_views(x.shape[1:3], y.shape[1:3], pool.taps, pool.window):
        values, best = x[inputs], y[outputs]
        hits = open_windows[outputs] & ((values == best) | (np.isnan(values) & np.isnan(best)))
        dx[inputs] += np.where(hits, dy[outputs], 0)
        open_windows[outputs] &= ~hits
    return dx
