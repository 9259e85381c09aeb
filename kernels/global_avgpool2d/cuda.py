"""global_avgpool2d on a GPU: v1_direct is avgpool2d's kernel, with a window as large as the image."""

from typing import Any

from .._pooling import Pool
from ..avgpool2d.cuda import avgpool2d_backward_v1_direct, avgpool2d_forward_v1_direct


def global_avgpool2d_forward_v1_direct(x: Any, pool: Pool, y: Any) -> Any:
    """y = the mean of each channel of each image"""
    return avgpool2d_forward_v1_direct(x, pool, y)


def global_avgpool2d_backward_v1_direct(dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = dy / (H W)"""
    return avgpool2d_backward_v1_direct(dy, pool, dx)
