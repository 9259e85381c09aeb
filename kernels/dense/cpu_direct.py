"""v1_direct: the loops of reference.py, compiled."""

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import jit
from ._storage import Stored, restored
from .reference import multiply, multiply_to_input, multiply_to_weights

_multiply = jit(multiply)
_multiply_to_input = jit(multiply_to_input)
_multiply_to_weights = jit(multiply_to_weights)


def dense_forward_v1_direct(x: np.ndarray, w: np.ndarray | Stored, epilogue: Epilogue, y: np.ndarray) -> np.ndarray:
    """y = activation(x @ w + bias + residual)"""
    _multiply(operand(x), operand(restored(w, y.dtype)), y)
    return epilogue.apply(y)


def dense_backward_input_v1_direct(dy: np.ndarray, w: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """dx = dy @ w transposed"""
    _multiply_to_input(operand(dy), operand(w), dx)
    return dx


def dense_backward_weights_v1_direct(x: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> np.ndarray:
    """dw = x transposed @ dy"""
    _multiply_to_weights(operand(x), operand(dy), dw)
    return dw
