"""global_avgpool2d, as it is defined: y[n,c] = 1/(H W) sum over h,w of x[n,h,w,c], and dx[n,h,w,c] = dy[n,c] / (H W).

That is avgpool2d with a window as large as the image; y and dy come as (N,1,1,C).
"""

import numpy as np

from .._pooling import Pool
from ..avgpool2d.reference import avgpool2d_backward_reference, avgpool2d_forward_reference


def global_avgpool2d_forward_reference(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the mean of each channel of each image"""
    return avgpool2d_forward_reference(x, pool, y)


def global_avgpool2d_backward_reference(dy: np.ndarray, pool: Pool, dx: np.ndarray) -> np.ndarray:
    """dx = dy / (H W)"""
    return avgpool2d_backward_reference(dy, pool, dx)
