"""global_avgpool2d on a GPU, v2_reduce and v3_vector: what cuda_reduce.cu is launched with."""

from typing import Any

from .._gpu.file import CudaFile
from .._gpu.lanes import VARIANTS, lanes
from .._gpu.pooling import each_image
from .._pooling import Pool
from ..avgpool2d.cuda_vector import avgpool2d_backward_v3_vector

FILE = CudaFile("global_avgpool2d/cuda_reduce.cu", variants=VARIANTS)


def global_avgpool2d_forward_v2_reduce(x: Any, pool: Pool, y: Any) -> Any:
    """y = the mean of each channel of each image"""
    each_image(FILE, "global_avgpool2d_forward_reduce", (x,), y, x.shape, 1)
    return y


def global_avgpool2d_forward_v3_vector(x: Any, pool: Pool, y: Any) -> Any:
    """y = the mean of each channel of each image"""
    each_image(FILE, "global_avgpool2d_forward_reduce", (x,), y, x.shape, lanes(x.shape[3], y))
    return y


def global_avgpool2d_backward_v3_vector(dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = dy / (H W)"""
    return avgpool2d_backward_v3_vector(dy, pool, dx)
