"""v2_im2col: each pixel times w is a row of a matrix product, added to y where its window lies ("col2im")."""

import numpy as np

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.blas import (
    conv2d_backward_input_v2_im2col,
    conv2d_backward_weights_v2_im2col,
    conv2d_forward_v2_im2col,
)


def conv2d_transpose_forward_v2_im2col(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(the input gradient of conv2d + bias)"""
    return epilogue.apply(conv2d_backward_input_v2_im2col(x, w, window, y))


def conv2d_transpose_backward_input_v2_im2col(
    dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray
) -> np.ndarray:
    """dx = conv2d(dy, w)"""
    return conv2d_forward_v2_im2col(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v2_im2col(
    x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray
) -> np.ndarray:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_v2_im2col(dy, x, window, dw)
