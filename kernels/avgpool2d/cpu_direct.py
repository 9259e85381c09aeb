"""v1_direct: the loops of reference.py, compiled."""

import numpy as np

from .._arrays import operand
from .._jit import jit
from .._pooling import Pool
from .reference import average, average_to_input

_average = jit(average)
_average_to_input = jit(average_to_input)


def avgpool2d_forward_v1_direct(x: np.ndarray, pool: Pool, y: np.ndarray) -> np.ndarray:
    """y = the mean of each window"""
    _average(operand(x), pool, y)
    return y


def avgpool2d_backward_v1_direct(dy: np.ndarray, pool: Pool, dx: np.ndarray) -> np.ndarray:
    """dx = the sum of dy / K over every window that saw the pixel"""
    _average_to_input(operand(dy), pool, dx)
    return dx
