"""v5_winograd_2 and v6_winograd_4: with stride 1, all three directions are 3x3 convolutions like any other."""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cpu_input import conv2d_backward_input_v5_winograd_2, conv2d_backward_input_v6_winograd_4
from ..conv2d.cpu_weights_winograd import conv2d_backward_weights_v6_winograd_4
from ..conv2d.cpu_winograd import conv2d_forward_v5_winograd_2, conv2d_forward_v6_winograd_4


def conv2d_transpose_forward_v5_winograd_2(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(the input gradient of conv2d + bias), by tiles of 2 x 2"""
    return conv2d_backward_input_v5_winograd_2(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v5_winograd_2(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = conv2d(dy, w), by tiles of 2 x 2"""
    return conv2d_forward_v5_winograd_2(dy, w, window, Epilogue(), dx)


def conv2d_transpose_forward_v6_winograd_4(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(the input gradient of conv2d + bias), by tiles of 4 x 4"""
    return conv2d_backward_input_v6_winograd_4(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v6_winograd_4(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = conv2d(dy, w), by tiles of 4 x 4"""
    return conv2d_forward_v6_winograd_4(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v6_winograd_4(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_v6_winograd_4(dy, x, window, dw)
