"""embedding on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._device import device
from .._gpu.file import CudaFile, contiguous, fours, ints
from .._where import device_of

FILE = CudaFile("embedding/cuda.cu")


def embedding_forward_v1_direct(rows: Any, w: Any, y: Any) -> Any:
    """y (N,E)"""
    return _forward("v1_direct", y.size, rows, w, y)


def embedding_forward_v2_vector(rows: Any, w: Any, y: Any) -> Any:
    """y (N,E), four numbers a thread"""
    return _forward("v2_vector", fours(y.shape), rows, w, y)


def _forward(rung: str, threads: int, rows: Any, w: Any, y: Any) -> Any:
    taken = (contiguous(rows), contiguous(w), y, np.int64(y.size), *ints(y.shape[1]))
    FILE.each(y, f"embedding_forward_{rung}", threads, *taken)
    return y


def embedding_backward_v1_direct(rows: Any, dy: Any, dw: Any) -> Any:
    """dw (V,E)"""
    taken = (*uses(rows, len(dw)), contiguous(dy), dw, np.int64(dw.size), *ints(dw.shape[1]))
    FILE.each(dw, "embedding_backward_v1_direct", dw.size, *taken)
    return dw


def uses(rows: Any, count: int) -> tuple[Any, Any]:
    """(places of `rows` sorted by row, where in them those of each of `count` rows begin, and where the last ends).

    The sort keeps the order of equal rows, and so that of their sums.
    """
    xp = device(device_of(rows)).xp
    order = xp.argsort(rows, kind="stable")
    return order, xp.searchsorted(rows[order], xp.arange(count + 1))
