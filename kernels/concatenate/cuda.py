"""concatenate on a GPU: what cuda.cu is launched with, once for each array."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous
from .._shapes import ceil_div

FILE = CudaFile("concatenate/cuda.cu")


def concatenate_forward_v1_direct(arrays: list[Any], axis: int, y: Any) -> Any:
    """y = the arrays one after another"""
    return _join("v1_direct", arrays, axis, y)


def concatenate_forward_v2_vector(arrays: list[Any], axis: int, y: Any) -> Any:
    """y = the arrays one after another, four numbers a thread"""
    return _join("v2_vector", arrays, axis, y)


def concatenate_backward_v1_direct(dy: Any, axis: int, pieces: list[Any]) -> list[Any]:
    """pieces = dy cut along the axis"""
    return _cut("v1_direct", dy, axis, pieces)


def concatenate_backward_v2_vector(dy: Any, axis: int, pieces: list[Any]) -> list[Any]:
    """pieces = dy cut along the axis, four numbers a thread"""
    return _cut("v2_vector", dy, axis, pieces)


def _join(rung: str, arrays: list[Any], axis: int, y: Any) -> Any:
    for array, threads, sizes in _places(rung, arrays, axis, y):
        FILE.each(y, f"concatenate_forward_{rung}", threads, contiguous(array), y, *sizes)
    return y


def _cut(rung: str, dy: Any, axis: int, pieces: list[Any]) -> list[Any]:
    dy = contiguous(dy)
    for piece, threads, sizes in _places(rung, pieces, axis, dy):
        FILE.each(dy, f"concatenate_backward_{rung}", threads, dy, piece, *sizes)
    return pieces


def _places(rung: str, arrays: list[Any], axis: int, whole: Any) -> Iterator[tuple[Any, int, tuple[np.int64, ...]]]:
    """Every array, its threads, and (numbers in it, in a row of it, in a row of the whole, before it in that row)."""
    pitch, first = prod(whole.shape[axis:]), 0
    for array in arrays:
        width = prod(array.shape[axis:])
        threads = array.size // max(width, 1) * ceil_div(width, 4) if rung == "v2_vector" else array.size
        yield array, threads, (np.int64(array.size), np.int64(width), np.int64(pitch), np.int64(first))
        first += width
