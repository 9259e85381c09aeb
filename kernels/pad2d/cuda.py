"""pad2d on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous, fours, ints
from .reference import Sides

FILE = CudaFile("pad2d/cuda.cu")


def pad2d_forward_v1_direct(x: Any, sides: Sides, value: float, y: Any) -> Any:
    """y = x with `value` around it"""
    return _pad("v1_direct", y.size, x, sides, value, y)


def pad2d_forward_v2_vector(x: Any, sides: Sides, value: float, y: Any) -> Any:
    """y = x with `value` around it, four channels a thread"""
    return _pad("v2_vector", fours(y.shape), x, sides, value, y)


def pad2d_backward_v1_direct(dy: Any, sides: Sides, dx: Any) -> Any:
    """dx = the middle of dy"""
    return _crop("v1_direct", dx.size, dy, sides, dx)


def pad2d_backward_v2_vector(dy: Any, sides: Sides, dx: Any) -> Any:
    """dx = the middle of dy, four channels a thread"""
    return _crop("v2_vector", fours(dx.shape), dy, sides, dx)


def _pad(rung: str, threads: int, x: Any, sides: Sides, value: float, y: Any) -> Any:
    sizes = np.int64(y.size), *_sizes(x, y, sides)
    FILE.each(y, f"pad2d_forward_{rung}", threads, contiguous(x), y, np.float32(value), *sizes)
    return y


def _crop(rung: str, threads: int, dy: Any, sides: Sides, dx: Any) -> Any:
    sizes = np.int64(dx.size), *_sizes(dx, dy, sides)
    FILE.each(dx, f"pad2d_backward_{rung}", threads, contiguous(dy), dx, *sizes)
    return dx


def _sizes(image: Any, padded: Any, sides: Sides) -> tuple[np.int32, ...]:
    (top, _), (left, _) = sides
    return ints(*image.shape[1:], *padded.shape[1:3], top, left)
