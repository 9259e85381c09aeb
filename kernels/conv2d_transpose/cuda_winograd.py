"""v5_winograd_2 and v6_winograd_4 on a GPU: with stride 1, forward and input gradient are 3x3 convolutions."""

from typing import Any

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cuda_input_winograd import conv2d_backward_input_v5_winograd_2, conv2d_backward_input_v6_winograd_4
from ..conv2d.cuda_winograd import conv2d_forward_v5_winograd_2, conv2d_forward_v6_winograd_4


def conv2d_transpose_forward_v5_winograd_2(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the input gradient of conv2d + bias), by tiles of 2 x 2"""
    return conv2d_backward_input_v5_winograd_2(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v5_winograd_2(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = conv2d(dy, w), by tiles of 2 x 2"""
    return conv2d_forward_v5_winograd_2(dy, w, window, Epilogue(), dx)


def conv2d_transpose_forward_v6_winograd_4(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the input gradient of conv2d + bias), by tiles of 4 x 4"""
    return conv2d_backward_input_v6_winograd_4(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v6_winograd_4(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = conv2d(dy, w), by tiles of 4 x 4"""
    return conv2d_forward_v6_winograd_4(dy, w, window, Epilogue(), dx)
