"""The input gradient of conv2d on a GPU: what cuda_input.cu is launched with.

A transposed convolution is the same with an epilogue.
"""

from typing import Any

import numpy as np

from .._epilogue import PLAIN, Epilogue
from .._gpu.file import CudaFile, contiguous
from .._shapes import Window
from ._cuda_sizes import cuda_sizes

FILE = CudaFile("conv2d/cuda_input.cu")


def conv2d_backward_input_v1_direct(dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue = PLAIN) -> Any:
    """dx = the sum of dy * w over every window that saw the pixel"""
    bias, residual, low, high = epilogue.on_cuda()
    sizes = np.int64(dx.size), *cuda_sizes(dx.shape, w.shape, dy.shape, window)
    arrays = contiguous(dy), contiguous(w), bias, residual, dx
    FILE.each(dx, "conv2d_backward_input_v1_direct", dx.size, *arrays, low, high, *sizes)
    return epilogue.rest(dx)
