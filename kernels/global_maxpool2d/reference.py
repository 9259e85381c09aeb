"""global_maxpool2d, as it is defined: y[n,c] = max over h,w of x[n,h,w,c]; dy[n,c] goes to the first such h,w.

That is maxpool2d with a window as large as the image; y and dy come as (N,1,1,C).
"""

import numpy as np

from .._pooling import Pool
from ..maxpool2d.reference import maxpool2d_backward_reference, maxpool2d_forward_reference


def global_maxpool2d_forward_reference(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the largest value of each channel of each image"""
    return maxpool2d_forward_reference(x, pool, y)


def global_maxpool2d_backward_reference(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, pool: Pool, dx: np.ndarray
) -> np.ndarray:
    """dx = dy at the first largest pixel, else 0"""
    return maxpool2d_backward_reference(x, y, dy, pool, dx)
