"""v1_threads: rows of each array are copied to their columns of y, on several threads.

y (..., total, ...) is seen as rows of everything from the axis on: of each row, an array fills the same columns.
"""

from math import prod

import numpy as np

from .._jit import kernel
from .._lanes import flat, rows_in_chunk
from .._threads import STREAMED, parallel_for


@kernel
def _copy_columns(start, stop, x, width, rows, y, pitch, first):
    """Chunks start..stop-1 of `rows` rows of x (R,width), to y (R,pitch) from column `first` on."""
    for r in range(start * rows, min(stop * rows, x.size // width)):
        source, target = x[r * width : (r + 1) * width], y[r * pitch + first : r * pitch + first + width]
        for i in range(width):
            target[i] = source[i]


def concatenate_forward_v1_threads(arrays: list[np.ndarray], axis: int, y: np.ndarray) -> np.ndarray:
    """y = the arrays one after another"""
    pitch, first = prod(y.shape[axis:]), 0
    for array in arrays:
        width = prod(array.shape[axis:])
        if array.size:
            rows = rows_in_chunk(width)
            chunks = -(-array.size // (width * rows))
            parallel_for(
                _copy_columns, chunks, STREAMED * array.size, flat(array), width, rows, y.reshape(-1), pitch, first
            )
        first += width
    return y
