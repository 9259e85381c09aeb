"""maxpool2d on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous
from .._pooling import Pool, cuda_sizes

FILE = CudaFile("maxpool2d/cuda.cu")


def maxpool2d_forward_v1_direct(x: Any, pool: Pool, y: Any) -> Any:
    """y = the largest value of each window"""
    sizes = np.int64(y.size), *cuda_sizes(x.shape, pool)
    FILE.each(y, "maxpool2d_forward_v1_direct", y.size, contiguous(x), y, *sizes)
    return y


def maxpool2d_backward_v1_direct(x: Any, y: Any, dy: Any, pool: Pool, dx: Any) -> Any:
    """dx = the sum of dy of all windows whose first largest pixel it is"""
    arrays = map(contiguous, (x, y, dy))
    sizes = np.int64(dx.size), *cuda_sizes(x.shape, pool)
    FILE.each(dx, "maxpool2d_backward_v1_direct", dx.size, *arrays, dx, *sizes)
    return dx
