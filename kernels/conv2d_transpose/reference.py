"""conv2d_transpose, as it is defined: every pixel of x is spread over a window of y.

    y[n, i sh - top + a, j sw - left + b, f] = sum over i,a,j,b,c of  x[n,i,j,c] * w[a,b,f,c]

x (N,H,W,C), w (KH,KW,F,C), y (N,OH,OW,F); what falls outside y is dropped.  Those are the products by which conv2d
sends a gradient back to its input, so conv2d's loops are the definition here too.
"""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.reference import (
    conv2d_backward_input_reference,
    conv2d_backward_weights_reference,
    conv2d_forward_reference,
)


def conv2d_transpose_forward_reference(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(the input gradient of conv2d + bias)"""
    return epilogue.apply(conv2d_backward_input_reference(x, w, window, y))


def conv2d_transpose_backward_input_reference(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = conv2d(dy, w)"""
    return conv2d_forward_reference(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_reference(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_reference(dy, x, window, dw)
