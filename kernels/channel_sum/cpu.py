"""v3_chunks: each thread adds up chunks of rows, and the chunks' sums are added in order.

The number of chunks depends on the shape alone, so the result has the same bits for any number of threads.  Several
rows of few channels are read as one wide row, which fills the vector registers; the lanes are added at the end.
"""

import numpy as np

from .._jit import jit
from .._threads import parallel_for

WIDE = 64  # numbers in a row worth a vector loop
CHUNK = 32_768  # numbers in a chunk, at the least
MOST_CHUNKS = 64


@jit
def _sum_chunks(start, stop, x, rows, width, chunk_rows, sums):
    """sums[k] (width) = the sum of rows k * chunk_rows ... of the flat array x (rows, width)."""
    for k in range(start, stop):
        total = sums[k]
        total[:] = 0
        first, last = k * chunk_rows, min((k + 1) * chunk_rows, rows)
        pairs = first + (last - first) // 2 * 2
        for r in range(first, pairs, 2):
            at = r * width
            for c in range(width):
                total[c] += x[at + c] + x[at + width + c]
        for r in range(pairs, last):
            for c in range(width):
                total[c] += x[r * width + c]


def channel_sum_forward_v3_chunks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y[c] = the sum of the chunks' sums"""
    flat = np.ascontiguousarray(x).reshape(-1)
    channels = x.shape[1]
    width = -(-WIDE // channels) * channels
    rows = flat.size // width
    chunk_rows = max(1, CHUNK // width, -(-rows // MOST_CHUNKS))
    chunks = -(-rows // chunk_rows)
    sums = np.zeros((chunks + 1, width), np.float32)
    parallel_for(_sum_chunks, chunks, flat.size, flat, rows, width, chunk_rows, sums)
    rest = flat[rows * width :]
    sums[chunks, : rest.size] = rest
    return np.add.reduce(sums.reshape(-1, channels), axis=0, out=y)
