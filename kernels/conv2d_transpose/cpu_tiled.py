"""v3_tiled: y is strides many interleaved images, each a small convolution of x with the taps that reach it."""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cpu_input import conv2d_backward_input_v3_tiled
from ..conv2d.cpu_tiled import conv2d_forward_v3_tiled
from ..conv2d.cpu_weights import conv2d_backward_weights_v3_tiled


def conv2d_transpose_forward_v3_tiled(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(the input gradient of conv2d + bias)"""
    return conv2d_backward_input_v3_tiled(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v3_tiled(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = conv2d(dy, w)"""
    return conv2d_forward_v3_tiled(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v3_tiled(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_v3_tiled(dy, x, window, dw)
