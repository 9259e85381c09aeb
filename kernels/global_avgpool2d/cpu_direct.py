"""v1_direct: the loops of reference.py, compiled."""

import numpy as np

from .._pooling import Pool
from ..avgpool2d.cpu_direct import avgpool2d_backward_v1_direct, avgpool2d_forward_v1_direct


def global_avgpool2d_forward_v1_direct(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the mean of each channel of each image"""
    return avgpool2d_forward_v1_direct(x, pool, y)


def global_avgpool2d_backward_v1_direct(dy: np.ndarray, pool: Pool, dx: np.ndarray) -> np.ndarray:
    """dx = dy / (H W)"""
    return avgpool2d_backward_v1_direct(dy, pool, dx)
