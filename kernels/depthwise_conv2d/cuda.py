"""v1_direct on a GPU: what cuda.cu is launched with."""

import math
from typing import Any

import numpy as np

from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Window

FILE = CudaFile("depthwise_conv2d/cuda.cu")


def refuse_too_many(*shapes: tuple[int, ...]) -> None:
    """Raise ArgumentError where an image or w has more numbers than kernels count by int."""
    ints(*map(math.prod, shapes))


def cuda_sizes(x_shape: tuple, w_shape: tuple, y_shape: tuple, window: Window) -> tuple[np.int32, ...]:
    """(H, W, C, OH, OW, M, taps, steps, top, left, gaps) of x, w (KH,KW,C,M) and y as kernels for a GPU take them.

    Raises
    ------
    ArgumentError
        As `refuse_too_many`.
    """
    refuse_too_many(x_shape[1:], w_shape, y_shape[1:])
    steps, ((top, _), (left, _)), gaps, _ = window
    return ints(*x_shape[1:], *y_shape[1:3], w_shape[3], *w_shape[:2], *steps, top, left, *gaps)


def depthwise_conv2d_forward_v1_direct(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(depthwise(x, w) + bias + residual)"""
    bias, residual, low, high = epilogue.on_cuda()
    sizes = np.int64(y.size), *cuda_sizes(x.shape, w.shape, y.shape, window)
    arrays = contiguous(x), contiguous(w), bias, residual, y
    FILE.each(y, "depthwise_conv2d_forward_v1_direct", y.size, *arrays, low, high, *sizes)
    return epilogue.rest(y)


def depthwise_conv2d_backward_input_v1_direct(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = the sum of dy * w over every window that saw the pixel"""
    sizes = np.int64(dx.size), *cuda_sizes(dx.shape, w.shape, dy.shape, window)
    FILE.each(dx, "depthwise_conv2d_backward_input_v1_direct", dx.size, contiguous(dy), contiguous(w), dx, *sizes)
    return dx


def depthwise_conv2d_backward_weights_v1_direct(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the sum of x * dy over every position of the window"""
    sizes = *ints(dw.size, dy.shape[0] * dy.shape[1]), *cuda_sizes(x.shape, dw.shape, dy.shape, window)
    FILE.each(dw, "depthwise_conv2d_backward_weights_v1_direct", dw.size, contiguous(x), contiguous(dy), dw, *sizes)
    return dw
