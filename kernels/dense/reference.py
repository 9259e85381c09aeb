"""dense, as it is defined: one multiply and one add at a time.

    y[r,o] = sum over i of x[r,i] * w[i,o]          x (R,I), w (I,O), y (R,O)

Every product x * w that went into y sends dy * w to dx and x * dy to dw.
"""

import numpy as np

from .._epilogue import Epilogue
from ._storage import Stored, restored


def multiply(x, w, y):
    """Write x @ w into y."""
    for r in range(x.shape[0]):
        for o in range(w.shape[1]):
            total = y.dtype.type(0)
            for i in range(w.shape[0]):
                total += x[r, i] * w[i, o]
            y[r, o] = total


def multiply_to_input(dy, w, dx):
    """Write dy @ w transposed into dx."""
    dx[:] = 0
    for r in range(dy.shape[0]):
        for i in range(w.shape[0]):
            for o in range(w.shape[1]):
                dx[r, i] += dy[r, o] * w[i, o]


def multiply_to_weights(x, dy, dw):
    """Write x transposed @ dy into dw."""
    dw[:] = 0
    for r in range(x.shape[0]):
        for i in range(x.shape[1]):
            for o in range(dy.shape[1]):
                dw[i, o] += x[r, i] * dy[r, o]


def dense_forward_reference(x: np.ndarray, w: np.ndarray | Stored, epilogue: Epilogue, y: np.ndarray) -> np.ndarray:
    """y = activation(x @ w + bias + residual)"""
    multiply(x, restored(w, y.dtype), y)
    return epilogue.apply(y)


def dense_backward_input_reference(dy: np.ndarray, w: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """dx = dy @ w transposed"""
    multiply_to_input(dy, w, dx)
    return dx


def dense_backward_weights_reference(x: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> np.ndarray:
    """dw = x transposed @ dy"""
    multiply_to_weights(x, dy, dw)
    return dw
