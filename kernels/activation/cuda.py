"""activation on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._cuda_file import CudaFile, contiguous, ints
from .reference import FORMULAS

FILE = CudaFile("activation/cuda.cu")
Numbers = tuple[float, ...]


def coded(formula: str, numbers: Numbers) -> tuple[np.generic, ...]:
    """(formula, a, b, c) as activations.cuh takes them: its place among FORMULAS, and its numbers, then zeros."""
    a, b, c = (*map(np.float32, numbers), *[np.float32(0)] * (3 - len(numbers)))
    return *ints(list(FORMULAS).index(formula)), a, b, c


def activation_forward_v1_direct(x: Any, formula: str, numbers: Numbers, y: Any) -> Any:
    """y = f(x)"""
    FILE.each(y, "activation_forward_v1_direct", y.size, contiguous(x), y, np.int64(y.size), *coded(formula, numbers))
    return y


def activation_backward_v1_direct(x: Any, y: Any, dy: Any, formula: str, numbers: Numbers, dx: Any) -> Any:
    """dx = dy f'(x)"""
    arrays, count = map(contiguous, (x, y, dy)), np.int64(dx.size)
    FILE.each(dx, "activation_backward_v1_direct", dx.size, *arrays, dx, count, *coded(formula, numbers))
    return dx
