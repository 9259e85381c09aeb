"""global_maxpool2d on a GPU, v2_reduce and v3_vector: what cuda_reduce.cu is launched with."""

from typing import Any

from .._gpu.file import CudaFile
from .._gpu.lanes import VARIANTS, lanes
from .._gpu.pooling import each_image
from .._pooling import Pool

FILE = CudaFile("global_maxpool2d/cuda_reduce.cu", variants=VARIANTS)


def global_maxpool2d_forward_v2_reduce(x: Any, pool: Pool, y: Any) -> Any:
    """y = the largest value of each channel of each image"""
    each_image(FILE, "global_maxpool2d_forward_reduce", (x,), y, x.shape, 1)
    return y


def global_maxpool2d_forward_v3_vector(x: Any, pool: Pool, y: Any) -> Any:
    """y = the largest value of each channel of each image"""
    each_image(FILE, "global_maxpool2d_forward_reduce", (x,), y, x.shape, lanes(x.shape[3], y))
    return y


def global_maxpool2d_backward_v2_reduce(x: Any, y: Any, dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = dy at the first largest pixel, else 0"""
    each_image(FILE, "global_maxpool2d_backward_reduce", (x, y, dy), dx, x.shape, 1)
    return dx


def global_maxpool2d_backward_v3_vector(x: Any, y: Any, dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = dy at the first largest pixel, else 0"""
    each_image(FILE, "global_maxpool2d_backward_reduce", (x, y, dy), dx, x.shape, lanes(x.shape[3], dx))
    return dx
