"""v3_stream: one idea: with a few rows of x the time goes into reading w, so read it once and in order.

    y = sum over chunks of  x[:, chunk] @ w[chunk]

A thread walks down its chunk of w, DEPTH rows at a time, and adds them, scaled by x, to sums that stay in cache: the
memory sees straight streams.  The chunks' sums are added in order, and their number depends on the shape alone.
"""

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import jit
from .._shapes import ceil_div
from .._threads import parallel_for

DEPTH = 4  # rows of w that are added in one pass over the sums
CHUNKS = 16  # at the most
LEAST = 64  # rows of w in a chunk, at the least


@jit
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
                    total[o] += (x0 * w0[o] + x1 * w1[o]) + (x2 * w2[o] + x3 * w3[o])
        for i in range(whole, last):
            for r in range(x.shape[0]):
                for o in range(w.shape[1]):
                    sums[k, r, o] += x[r, i] * w[i, o]


def dense_forward_v3_stream(x: np.ndarray, w: np.ndarray, epilogue: Epilogue, y: np.ndarray) -> np.ndarray:
    """y = activation(x @ w + bias + residual), a chunk of w at a time"""
    chunk = max(LEAST, ceil_div(len(w), CHUNKS))
    chunks = ceil_div(len(w), chunk)
    sums = np.empty((chunks, *y.shape), np.float32)
    arrays = operand(x), operand(w)
    parallel_for(_stream_chunks, chunks, len(x) * w.size, *arrays, chunk, sums)
    return epilogue.apply(np.add.reduce(sums, axis=0, out=y))
