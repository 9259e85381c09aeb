"""v1_direct: the loops of reference.py, compiled."""

import numpy as np

from .._arrays import operand
from .._jit import jit
from .reference import add_rows

_add_rows = jit(add_rows)


def channel_sum_forward_v1_direct(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y[c] = sum over r of x[r,c]"""
    _add_rows(operand(x), y)
    return y
