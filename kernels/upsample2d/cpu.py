"""v2_gather: one axis after the other, every output gathering the few inputs that it sees.

The weights along an axis are a sparse matrix, kept as the list of its entries row by row; the gradient gathers by the
transposed list, so that nothing is written twice and no two threads write to one place.
"""

from functools import cache

import numpy as np

from .._arrays import operand
from .._jit import kernel
from .._threads import STREAMED, parallel_for
from .reference import taps

Array = np.ndarray


@cache
def _sparse(size: int, factor: int, interpolation: str, transposed: bool) -> tuple[Array, Array, Array]:
    """(start of each row, columns, weights) of the matrix (outputs, inputs), or of its transpose."""
    rows = taps(size, factor, interpolation)
    if transposed:
        columns = [[] for _ in range(size)]
        for i, row in enumerate(rows):
            for p, weight in row:
                columns[p].append((i, weight))
        rows = columns
    starts = np.cumsum([0, *map(len, rows)])
    entries = [entry for row in rows for entry in row]
    return starts, np.array([p for p, _ in entries], np.intp), np.array([w for _, w in entries], np.float32)


@kernel
def _mix(start, stop, x, starts, columns, weights, y):
    """y[b,o] = sum of weights * x[b, columns], of row o of the sparse matrix; a block is one pair (b,o)."""
    outputs = y.shape[1]
    for block in range(start, stop):
        b, o = block // outputs, block % outputs
        result, first = y[b, o], starts[o]
        source, weight = x[b, columns[first]], weights[first]
        for i in range(result.size):
            result[i] = weight * source[i]
        for k in range(first + 1, starts[o + 1]):
            source, weight = x[b, columns[k]], weights[k]
            for i in range(result.size):
                result[i] += weight * source[i]


def _apply(x: Array, shape: tuple[int, int, int], matrix: tuple[Array, Array, Array], y: Array) -> None:
    """Apply a sparse matrix to the middle axis of x, seen as (B,I,L)."""
    batch, outputs, length = shape
    flat = operand(x).reshape(batch, -1, length)
    parallel_for(_mix, batch * outputs, STREAMED * y.size, flat, *matrix, y.reshape(shape))


def upsample2d_forward_v2_gather(x: Array, factors: tuple[int, int], interpolation: str, y: Array) -> Array:
    """y = the weighted sums of x, along the width first"""
    (fh, fw), (n, h, w, c) = factors, x.shape
    if not y.size:
        return y
    wide = np.empty((n, h, w * fw, c), np.float32)
    _apply(x, (n * h, w * fw, c), _sparse(w, fw, interpolation, False), wide)
    _apply(wide, (n, h * fh, w * fw * c), _sparse(h, fh, interpolation, False), y)
    return y


def upsample2d_backward_v2_gather(dy: Array, factors: tuple[int, int], interpolation: str, dx: Array) -> Array:
    """dx = dy, sent back by the same weights, along the height first"""
    (fh, fw), (n, h, w, c) = factors, dx.shape
    if not dx.size:
        return dx
    wide = np.empty((n, h, w * fw, c), np.float32)
    _apply(dy, (n, h, w * fw * c), _sparse(h, fh, interpolation, True), wide)
    _apply(wide, (n * h, w, c), _sparse(w, fw, interpolation, True), dx)
    return dx
