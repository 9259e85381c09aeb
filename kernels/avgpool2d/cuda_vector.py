"""avgpool2d on a GPU, v3_vector: a thread takes four channels, or as many as divide them."""

from typing import Any

from .._gpu.file import CudaFile
from .._gpu.lanes import VARIANTS
from .._gpu.pooling import each_row
from .._pooling import Pool

FILE = CudaFile("avgpool2d/cuda_vector.cu", variants=VARIANTS)


def avgpool2d_forward_v3_vector(x: Any, pool: Pool, y: Any) -> Any:
    """y = the mean of each window"""
    each_row(FILE, "avgpool2d_forward_v3_vector", (x,), y, x.shape, pool)
    return y


def avgpool2d_backward_v3_vector(dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = the sum of dy / K over every window that saw the pixel"""
    each_row(FILE, "avgpool2d_backward_v3_vector", (dy,), dx, dx.shape, pool)
    return dx
