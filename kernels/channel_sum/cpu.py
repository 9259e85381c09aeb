"""v3_chunks: each thread adds up chunks of rows, and the chunks' sums are added in order.

The number of chunks depends on the shape alone, so the result has the same bits for any number of threads.  Several
rows of few channels are read as one wide row, which fills the vector registers; the lanes are added at the end.
"""

import numpy as np

from .._jit import kernel
from .._lanes import cut, flat
from .._threads import parallel_for


@kernel
def _sum_chunks(start, stop, x, rows, width, chunk_rows, sums):
    """sums[k] (width) = the sum of rows k * chunk_rows ... of the flat array x (rows, width)."""
    for k in range(start, stop):
        total = sums[k]
        total[:] = 0
        for r in range(k * chunk_rows, min((k + 1) * chunk_rows, rows)):
            row = x[r * width : (r + 1) * width]
            for c in range(width):
                total[c] += row[c]


def channel_sum_forward_v3_chunks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y[c] = the sum of the chunks' sums"""
    numbers, channels = flat(x), x.shape[1]
    width, chunk_rows, chunks = cut(numbers.size, channels)
    rows = numbers.size // width
    sums = np.zeros((chunks + 1, width), np.float32)
    parallel_for(_sum_chunks, chunks, numbers.size, numbers, rows, width, chunk_rows, sums)
    rest = numbers[rows * width :]
    sums[chunks, : rest.size] = rest
    return np.add.reduce(sums.reshape(-1, channels), axis=0, out=y)
