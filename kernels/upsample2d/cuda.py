"""upsample2d on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous, fours, ints
from .._shapes import Pair

FILE = CudaFile("upsample2d/cuda.cu")


def upsample2d_forward_v1_direct(x: Any, factors: Pair, interpolation: str, y: Any) -> Any:
    """y = the weighted sums of x"""
    return _enlarge("v1_direct", y.size, x, factors, interpolation, y)


def upsample2d_forward_v3_vector(x: Any, factors: Pair, interpolation: str, y: Any) -> Any:
    """y = the weighted sums of x, four channels a thread"""
    return _enlarge("v3_vector", fours(y.shape), x, factors, interpolation, y)


def upsample2d_backward_v1_direct(dy: Any, factors: Pair, interpolation: str, dx: Any) -> Any:
    """dx = dy, sent back by the same weights"""
    return _gather("v1_direct", dx.size, dy, factors, interpolation, dx)


def upsample2d_backward_v3_vector(dy: Any, factors: Pair, interpolation: str, dx: Any) -> Any:
    """dx = dy, sent back by the same weights, four channels a thread"""
    return _gather("v3_vector", fours(dx.shape), dy, factors, interpolation, dx)


def _enlarge(rung: str, threads: int, x: Any, factors: Pair, interpolation: str, y: Any) -> Any:
    sizes = np.int64(y.size), *ints(*x.shape[1:], *factors, interpolation == "bilinear")
    FILE.each(y, f"upsample2d_forward_{rung}", threads, contiguous(x), y, *sizes)
    return y


def _gather(rung: str, threads: int, dy: Any, factors: Pair, interpolation: str, dx: Any) -> Any:
    sizes = np.int64(dx.size), *ints(*dx.shape[1:], *factors, interpolation == "bilinear")
    FILE.each(dx, f"upsample2d_backward_{rung}", threads, contiguous(dy), dx, *sizes)
    return dx
