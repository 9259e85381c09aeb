"""v4_blocked on a GPU: the matrix products of conv2d, turned around."""

from typing import Any

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cuda_blocked import conv2d_forward_v4_blocked
from ..conv2d.cuda_input_blocked import conv2d_backward_input_v4_blocked
from ..conv2d.cuda_weights_blocked import conv2d_backward_weights_v4_blocked


def conv2d_transpose_forward_v4_blocked(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the input gradient of conv2d + bias)"""
    return conv2d_backward_input_v4_blocked(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v4_blocked(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = conv2d(dy, w)"""
    return conv2d_forward_v4_blocked(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v4_blocked(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_v4_blocked(dy, x, window, dw)
