"""v1_direct: the loops of reference.py, compiled.  One idea: remove the interpreter.

Numba turns the same seven loops into machine code, with the sum in a register; nothing else changes.
"""

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import jit
from .._shapes import Window
from .reference import correlate, correlate_to_input, correlate_to_weights

_correlate = jit(correlate)
_correlate_to_input = jit(correlate_to_input)
_correlate_to_weights = jit(correlate_to_weights)


def conv2d_forward_v1_direct(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(conv(x, w) + bias + residual)"""
    _correlate(operand(x), operand(w), window, y)
    return epilogue.apply(y)


def conv2d_backward_input_v1_direct(dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray) -> np.ndarray:
    """dx = the sum of dy * w over every window that saw the pixel"""
    _correlate_to_input(operand(dy), operand(w), window, dx)
    return dx


def conv2d_backward_weights_v1_direct(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> np.ndarray:
    """dw = the sum of x * dy over every position of the window"""
    _correlate_to_weights(operand(x), operand(dy), window, dw)
    return dw
