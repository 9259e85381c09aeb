"""concatenate on a GPU: what cuda.cu is launched with, once for each array."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from .._cuda_file import CudaFile, contiguous

FILE = CudaFile("concatenate/cuda.cu")


def concatenate_forward_v1_direct(arrays: list[Any], axis: int, y: Any) -> Any:
    """y = the arrays one after another"""
    for array, sizes in _places(arrays, axis, y):
        FILE.each(y, "concatenate_forward_v1_direct", array.size, contiguous(array), y, *sizes)
    return y


def concatenate_backward_v1_direct(dy: Any, axis: int, pieces: list[Any]) -> list[Any]:
    """pieces = dy cut along the axis"""
    dy = contiguous(dy)
    for piece, sizes in _places(pieces, axis, dy):
        FILE.each(dy, "concatenate_backward_v1_direct", piece.size, dy, piece, *sizes)
    return pieces


def _places(arrays: list[Any], axis: int, whole: Any) -> Iterator[tuple[Any, tuple[np.int64, ...]]]:
    """Every array with (numbers in it, in a row of it, in a row of the whole, and before it in that row)."""
    pitch, first = prod(whole.shape[axis:]), 0
    for array in arrays:
        width = prod(array.shape[axis:])
        yield array, (np.int64(array.size), np.int64(width), np.int64(pitch), np.int64(first))
        first += width
