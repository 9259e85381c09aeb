"""v3_stream: one idea: with a few rows of x the time goes into reading w, so read it once and in order.

    y = sum over chunks of  x[:, chunk] @ w[chunk]

A thread walks down its chunk of w, DEPTH rows at a time, and adds them, scaled by x, to sums that stay in cache: the
memory sees straight streams.  The chunks' sums are added in order, and their number depends on w's shape alone.
"""

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import kernel
from .._memory import empty
from .._shapes import ceil_div
from .._threads import parallel_for
from ._chunks import chunk_of

DEPTH = 4  # rows of w that are added in one pass over the sums
WIDTH = 256  # columns of y in a part


@kernel
def _stream_chunks(start, stop, x, w, chunk, sums):
    """sums[k] (R,O) = x[:, chunk k] @ w[chunk k]"""
    for k in range(start, stop):
        first, last = k * chunk, min((k + 1) * chunk, w.shape[0])
        whole = first + (last - first) // DEPTH * DEPTH
        sums[k] = 0
        for i in range(first, whole, DEPTH):
            w0, w1, w2, w3 = w[i], w[i + 1], w[i + 2], w[i + 3]
            for r in range(x.shape[0]):
                x0, x1, x2, x3 = x[r, i], x[r, i + 1], x[r, i + 2], x[r, i + 3]
                total = sums[k, r]
                for o in range(w.shape[1]):
                    total[o] = (((total[o] + x0 * w0[o]) + x1 * w1[o]) + x2 * w2[o]) + x3 * w3[o]
        for i in range(whole, last):
            for r in range(x.shape[0]):
                for o in range(w.shape[1]):
                    sums[k, r, o] += x[r, i] * w[i, o]


@kernel
def _add_chunks(start, stop, sums, bias, residual, has_residual, limits, y):
    """Parts of WIDTH columns of y (R,O): the sums of all chunks, in order, finished."""
    low, high = limits
    for part in range(start, stop):
        columns = slice(part * WIDTH, min((part + 1) * WIDTH, y.shape[1]))
        offset = bias[columns]
        for r in range(y.shape[0]):
            total, more = y[r, columns], sums[0, r, columns]
            for o in range(total.size):
                total[o] = more[o]
            for k in range(1, sums.shape[0]):
                more = sums[k, r, columns]
                for o in range(total.size):
                    total[o] += more[o]
            for o in range(total.size):
                total[o] += offset[o]
            if has_residual:
                more = residual[r * y.shape[1] + part * WIDTH : r * y.shape[1] + columns.stop]
                for o in range(total.size):
                    total[o] += more[o]
            for o in range(total.size):
                value = total[o]
                value = low if value < low else value
                total[o] = high if value > high else value


def dense_forward_v3_stream(x: np.ndarray, w: np.ndarray, epilogue: Epilogue, y: np.ndarray) -> np.ndarray:
    """y = activation(x @ w + bias + residual), a chunk of w at a time"""
    chunk = chunk_of(len(w))
    chunks = max(1, ceil_div(len(w), chunk))
    sums = empty((chunks, *y.shape))
    arrays = operand(x), operand(w)
    parallel_for(_stream_chunks, chunks, len(x) * w.size, *arrays, chunk, sums)
    parallel_for(_add_chunks, ceil_div(y.shape[1], WIDTH), sums.size, sums, *epilogue.operands(y.shape[1]), y)
    return epilogue.rest(y)
