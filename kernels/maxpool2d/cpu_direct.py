"""v1_direct: the loops of reference.py, compiled."""

import numpy as np

from .._arrays import operand
from .._jit import jit
from .._pooling import Pool
from .reference import largest, largest_to_input

_largest = jit(largest)
_largest_to_input = jit(largest_to_input)


def maxpool2d_forward_v1_direct(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the largest value of each window"""
    _largest(operand(x), pool, y)
    return y


def maxpool2d_backward_v1_direct(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, pool: Pool, dx: np.ndarray
) -> np.ndarray:
    """dx = the sum of dy of all windows whose first largest pixel it is"""
    _largest_to_input(operand(x), operand(y), operand(dy), pool, dx)
    return dx
