"""activation on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import ceil_div
from .reference import FORMULAS

FILE = CudaFile("activation/cuda.cu")
Numbers = tuple[float, ...]


def coded(formula: str, numbers: Numbers) -> tuple[np.generic, ...]:
    """(formula, a, b, c) as activations.cuh takes them: its place among FORMULAS, and its numbers, then zeros."""
    a, b, c = (*map(np.float32, numbers), *[np.float32(0)] * (3 - len(numbers)))
    return *ints(list(FORMULAS).index(formula)), a, b, c


def activation_forward_v1_direct(x: Any, formula: str, numbers: Numbers, y: Any) -> Any:
    """y = f(x)"""
    return _forward("v1_direct", y.size, x, formula, numbers, y)


def activation_backward_v1_direct(x: Any, y: Any, dy: Any, formula: str, numbers: Numbers, dx: Any) -> Any:
    """dx = dy f'(x)"""
    return _backward("v1_direct", dx.size, x, y, dy, formula, numbers, dx)


def activation_forward_v2_vector(x: Any, formula: str, numbers: Numbers, y: Any) -> Any:
    """y = f(x), four numbers a thread"""
    return _forward("v2_vector", ceil_div(y.size, 4), x, formula, numbers, y)


def activation_backward_v2_vector(x: Any, y: Any, dy: Any, formula: str, numbers: Numbers, dx: Any) -> Any:
    """dx = dy f'(x), four numbers a thread"""
    return _backward("v2_vector", ceil_div(dx.size, 4), x, y, dy, formula, numbers, dx)


def _forward(rung: str, threads: int, x: Any, formula: str, numbers: Numbers, y: Any) -> Any:
    scalars = np.int64(y.size), *coded(formula, numbers)
    FILE.each(y, f"activation_forward_{rung}", threads, contiguous(x), y, *scalars)
    return y


def _backward(rung: str, threads: int, x: Any, y: Any, dy: Any, formula: str, numbers: Numbers, dx: Any) -> Any:
    scalars = np.int64(dx.size), *coded(formula, numbers)
    FILE.each(dx, f"activation_backward_{rung}", threads, *map(contiguous, (x, y, dy)), dx, *scalars)
    return dx
