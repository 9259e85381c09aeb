"""upsample2d on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._cuda_file import CudaFile, contiguous, ints

FILE = CudaFile("upsample2d/cuda.cu")


def upsample2d_forward_v1_direct(x: Any, factors: tuple[int, int], interpolation: str, y: Any) -> Any:
    """y = the weighted sums of x"""
    sizes = np.int64(y.size), *ints(*x.shape[1:], *factors, interpolation == "bilinear")
    FILE.each(y, "upsample2d_forward_v1_direct", y.size, contiguous(x), y, *sizes)
    return y


def upsample2d_backward_v1_direct(dy: Any, factors: tuple[int, int], interpolation: str, dx: Any) -> Any:
    """dx = dy, sent back by the same weights"""
    sizes = np.int64(dx.size), *ints(*dx.shape[1:], *factors, interpolation == "bilinear")
    FILE.each(dx, "upsample2d_backward_v1_direct", dx.size, contiguous(dy), dx, *sizes)
    return dx
