"""maxpool2d on a GPU, v3_vector: a thread takes four channels, or as many as divide them."""

from typing import Any

from .._gpu.file import CudaFile
from .._gpu.lanes import VARIANTS
from .._gpu.pooling import each_row
from .._pooling import Pool

FILE = CudaFile("maxpool2d/cuda_vector.cu", variants=VARIANTS)


def maxpool2d_forward_v3_vector(x: Any, pool: Pool, y: Any) -> Any:
    """y = the largest value of each window"""
    each_row(FILE, "maxpool2d_forward_v3_vector", (x,), y, x.shape, pool)
    return y


def maxpool2d_backward_v3_vector(x: Any, y: Any, dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = the sum of dy of all windows whose first largest pixel it is"""
    each_row(FILE, "maxpool2d_backward_v3_vector", (x, y, dy), dx, x.shape, pool)
    return dx
