"""Helpers of compiled kernels that work along the last axis, one row at a time."""

import numpy as np
from numba.extending import register_jitable

from ._arrays import operand

LANES = 64  # partial sums of one row: enough vectors in flight to hide the latency of an addition
HALF, QUARTER = LANES // 2, LANES // 4
ZERO = np.float32(0)


def as_rows(array: np.ndarray) -> np.ndarray:
    """(...,K) as contiguous rows (R,K)."""
    return operand(array).reshape(-1, array.shape[-1])


@register_jitable
def row_sum(row, lanes):
    """The sum of a float32 row, as float64.  `lanes` (LANES,) is scratch space.

    Number i goes into partial sum i modulo LANES, so that the additions fill vector registers; the order does not
    depend on the machine.
    """
    whole = row.size // LANES * LANES
    for i in range(LANES):
        lanes[i] = ZERO
    for first in range(0, whole, LANES):
        part = row[first : first + LANES]
        for i in range(LANES):
            lanes[i] += part[i]
    for i in range(HALF):
        lanes[i] += lanes[i + HALF]
    for i in range(QUARTER):
        lanes[i] += lanes[i + QUARTER]
    total = np.float64(0)
    for i in range(QUARTER):
        total += lanes[i]
    for value in row[whole:]:
        total += value
    return total
