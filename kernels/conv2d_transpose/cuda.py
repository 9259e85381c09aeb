"""v1_direct on a GPU: a thread for every number, by the kernels of conv2d, turned around."""

from typing import Any

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cuda import conv2d_forward_v1_direct
from ..conv2d.cuda_input import conv2d_backward_input_v1_direct
from ..conv2d.cuda_weights import conv2d_backward_weights_v1_direct


def conv2d_transpose_forward_v1_direct(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the input gradient of conv2d + bias)"""
    return conv2d_backward_input_v1_direct(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v1_direct(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = conv2d(dy, w)"""
    return conv2d_forward_v1_direct(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v1_direct(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x"""
    return conv2d_backward_weights_v1_direct(dy, x, window, dw)
