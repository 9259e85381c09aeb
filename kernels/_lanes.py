"""How kernels cut a flat array whose numbers meet a short vector again and again, as channels meet their scale.

The array is seen as rows of `width` numbers, a whole number of periods, wide enough to fill vector registers; number i
of a row is a lane.  A chunk of rows is what a thread takes at a time.  How an array is cut depends on its shape alone,
so sums made lane by lane and chunk by chunk, and combined in order, have the same bits for any number of threads.
"""

import numpy as np

from ._arrays import operand

WIDE = 64  # numbers in a row worth a vector loop
CHUNK = 32_768  # numbers in a chunk, at the most: it stays in the second-level cache between two passes
CHUNK_ROWS = 128  # rows in a chunk, at the most: a float32 sum of so few loses two or three bits at the worst


def cut(size: int, period: int) -> tuple[int, int, int]:
    """(width, rows in a chunk, chunks) of a flat array."""
    width = -(-WIDE // period) * period
    rows = rows_in_chunk(width)
    return width, rows, -(-size // (width * rows))


def rows_in_chunk(width: int) -> int:
    """How many rows of `width` numbers a thread takes at a time."""
    return max(1, min(CHUNK_ROWS, CHUNK // width))


def flat(array: np.ndarray) -> np.ndarray:
    """The numbers of an array in C order."""
    return operand(array).reshape(-1)


def tiled(vector: np.ndarray, width: int) -> np.ndarray:
    """A vector of one period, for every lane of a row, in float32."""
    return np.tile(vector, width // len(vector)).astype(np.float32)


def folded(sums: np.ndarray, period: int) -> np.ndarray:
    """Sums (chunks, width) of lanes, added up in order to one for each number of a period, in float64."""
    return sums.reshape(-1, period).sum(axis=0, dtype=np.float64)
