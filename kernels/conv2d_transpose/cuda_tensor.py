"""v7 to v9 on a GPU: the products of conv2d on tensor cores, turned around."""

from typing import Any

from .._epilogue import Epilogue
from .._shapes import Window
from ..conv2d.cuda_input_tensor import (
    conv2d_backward_input_v7_tensor_tf32,
    conv2d_backward_input_v8_tensor_bf16,
    conv2d_backward_input_v9_tensor_half,
)
from ..conv2d.cuda_tensor import (
    conv2d_forward_v7_tensor_tf32,
    conv2d_forward_v8_tensor_bf16,
    conv2d_forward_v9_tensor_half,
)
from ..conv2d.cuda_weights_tensor import (
    conv2d_backward_weights_v7_tensor_tf32,
    conv2d_backward_weights_v8_tensor_bf16,
    conv2d_backward_weights_v9_tensor_half,
)


def conv2d_transpose_forward_v7_tensor_tf32(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the input gradient of conv2d + bias), x and w rounded to TF32"""
    return conv2d_backward_input_v7_tensor_tf32(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v7_tensor_tf32(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = conv2d(dy, w), both rounded to TF32"""
    return conv2d_forward_v7_tensor_tf32(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v7_tensor_tf32(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x, both rounded to TF32"""
    return conv2d_backward_weights_v7_tensor_tf32(dy, x, window, dw)


def conv2d_transpose_forward_v8_tensor_bf16(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the input gradient of conv2d + bias), x and w rounded to bfloat16"""
    return conv2d_backward_input_v8_tensor_bf16(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v8_tensor_bf16(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = conv2d(dy, w), both rounded to bfloat16"""
    return conv2d_forward_v8_tensor_bf16(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v8_tensor_bf16(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x, both rounded to bfloat16"""
    return conv2d_backward_weights_v8_tensor_bf16(dy, x, window, dw)


def conv2d_transpose_forward_v9_tensor_half(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the input gradient of conv2d + bias), x and w rounded to half"""
    return conv2d_backward_input_v9_tensor_half(x, w, window, y, epilogue)


def conv2d_transpose_backward_input_v9_tensor_half(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = conv2d(dy, w), both rounded to half"""
    return conv2d_forward_v9_tensor_half(dy, w, window, Epilogue(), dx)


def conv2d_transpose_backward_weights_v9_tensor_half(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the weight gradient of conv2d, whose input was y and whose output was x, both rounded to half"""
    return conv2d_backward_weights_v9_tensor_half(dy, x, window, dw)
