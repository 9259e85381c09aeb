"""v2_taps: one idea: for each tap one NumPy addition, over a view of the image that is shifted to meet it."""

import numpy as np

from .._pooling import Pool
from .._taps import axis_plans, forward_axis, shifted_views


def _pixels(size: tuple[int, int], pool: Pool, dtype: np.dtype) -> np.ndarray:
    """K (OH,OW,1): how many pixels of each window lie inside the image."""
    rows, columns = axis_plans(forward_axis, size, pool.shape[1:3], pool.taps, pool.window)
    return np.multiply.outer(rows.taps, columns.taps)[..., None].astype(dtype)


def avgpool2d_forward_v2_taps(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the mean of each window"""
    y[:] = 0
    for _, outputs, inputs in shifted_views(x.shape[1:3], y.shape[1:3], pool.taps, pool.window):
        y[outputs] += x[inputs]
    y /= _pixels(x.shape[1:3], pool, y.dtype)
    return y


def avgpool2d_backward_v2_taps(dy: np.ndarray, pool: Pool, dx: np.ndarray) -> np.ndarray:
    """dx = the sum of dy / K over every window that saw the pixel"""
    dx[:] = 0
    shares = dy / _pixels(dx.shape[1:3], pool, dy.dtype)
    for _, outputs, inputs in shifted_views(dx.shape[1:3], dy.shape[1:3], pool.taps, pool.window):
        dx[inputs] += shares[outputs]
    return dx
