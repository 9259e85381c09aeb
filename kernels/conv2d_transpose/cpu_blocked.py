"""v4_blocked: the products of v3_tiled with windows copied into cache, for narrow images."""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cpu_blocked import conv2d_forward_v4_blocked
from ..conv2d.cpu_input import conv2d_backward_input_v4_blocked
from ..conv2d.cpu_weights_blocked import conv2d_backward_weights_v4_blocked


def conv2d_transpose_forward_v4_blocked(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(the input gradient of conv2d + bias)"""
    return conv2d_backward_input_v4_blocked(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v4_blocked(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = conv2d(dy, w)"""
    return conv2d_forward_v4_blocked(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v4_blocked(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_v4_blocked(dy, x, window, dw)
