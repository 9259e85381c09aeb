"""v1_direct: the loops of reference.py, compiled: those of conv2d, turned around."""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cpu_direct import (
    conv2d_backward_input_v1_direct,
    conv2d_backward_weights_v1_direct,
    conv2d_forward_v1_direct,
)


def conv2d_transpose_forward_v1_direct(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(the input gradient of conv2d + bias)"""
    return epilogue.apply(conv2d_backward_input_v1_direct(x, w, window, y))


def conv2d_transpose_backward_input_v1_direct(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = conv2d(dy, w)"""
    return conv2d_forward_v1_direct(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v1_direct(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_v1_direct(dy, x, window, dw)
