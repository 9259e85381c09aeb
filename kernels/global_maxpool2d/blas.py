"""v2_reduce: NumPy's max, and argmax for the gradient: both take the first of equals, and a NaN before any number."""

import numpy as np

from .._pooling import Pool


def global_maxpool2d_forward_v2_reduce(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the largest value of each channel of each image"""
    return np.maximum.reduce(x, axis=(1, 2), keepdims=True, out=y)


def global_maxpool2d_backward_v2_reduce(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, pool: Pool, dx: np.ndarray
) -> np.ndarray:
    """dx = dy at the first largest pixel, else 0"""
    pixels = x.reshape(len(x), x.shape[1] * x.shape[2], x.shape[3])
    first = pixels.argmax(axis=1)[:, None]
    dx[:] = 0
    np.put_along_axis(dx.reshape(pixels.shape), first, dy[:, 0], axis=1)
    return dx
