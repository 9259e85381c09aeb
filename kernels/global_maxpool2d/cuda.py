"""global_maxpool2d on a GPU: v1_direct is maxpool2d's kernel, with a window as large as the image."""

from typing import Any

from .._pooling import Pool
from ..maxpool2d.cuda import maxpool2d_backward_v1_direct, maxpool2d_forward_v1_direct


def global_maxpool2d_forward_v1_direct(x: Any, pool: Pool, y: Any) -> Any:
    """y = the largest value of each channel of each image"""
    return maxpool2d_forward_v1_direct(x, pool, y)


def global_maxpool2d_backward_v1_direct(x: Any, y: Any, dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = dy at the first largest pixel, else 0"""
    return maxpool2d_backward_v1_direct(x, y, dy, pool, dx)
