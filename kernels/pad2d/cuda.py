"""pad2d on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._cuda_file import CudaFile, contiguous, ints
from .reference import Sides

FILE = CudaFile("pad2d/cuda.cu")


def pad2d_forward_v1_direct(x: Any, sides: Sides, value: float, y: Any) -> Any:
    """y = x with `value` around it"""
    sizes = np.int64(y.size), *_sizes(x, y, sides)
    FILE.each(y, "pad2d_forward_v1_direct", y.size, contiguous(x), y, np.float32(value), *sizes)
    return y


def pad2d_backward_v1_direct(dy: Any, sides: Sides, dx: Any) -> Any:
    """dx = the middle of dy"""
    sizes = np.int64(dx.size), *_sizes(dx, dy, sides)
    FILE.each(dx, "pad2d_backward_v1_direct", dx.size, contiguous(dy), dx, *sizes)
    return dx


def _sizes(image: Any, padded: Any, sides: Sides) -> tuple[np.int32, ...]:
    (top, _), (left, _) = sides
    return ints(*image.shape[1:], *padded.shape[1:3], top, left)
