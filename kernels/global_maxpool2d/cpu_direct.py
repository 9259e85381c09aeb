"""v1_direct: the loops of reference.py, compiled."""

import numpy as np

from .._pooling import Pool
from ..maxpool2d.cpu_direct import maxpool2d_backward_v1_direct, maxpool2d_forward_v1_direct


def global_maxpool2d_forward_v1_direct(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the largest value of each channel of each image"""
    return maxpool2d_forward_v1_direct(x, pool, y)


def global_maxpool2d_backward_v1_direct(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, pool: Pool, dx: np.ndarray
) -> np.ndarray:
    """dx = dy at the first largest pixel, else 0"""
    return maxpool2d_backward_v1_direct(x, y, dy, pool, dx)
