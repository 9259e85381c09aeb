"""avgpool2d on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous
from .._pooling import Pool, cuda_sizes

FILE = CudaFile("avgpool2d/cuda.cu")


def avgpool2d_forward_v1_direct(x: Any, pool: Pool, y: Any) -> Any:
    """y = the mean of each window"""
    sizes = np.int64(y.size), *cuda_sizes(x.shape, pool)
    FILE.each(y, "avgpool2d_forward_v1_direct", y.size, contiguous(x), y, *sizes)
    return y


def avgpool2d_backward_v1_direct(dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = the sum of dy / K over every window that saw the pixel"""
    sizes = np.int64(dx.size), *cuda_sizes(dx.shape, pool)
    FILE.each(dx, "avgpool2d_backward_v1_direct", dx.size, contiguous(dy), dx, *sizes)
    return dx
