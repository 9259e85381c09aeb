"""conv2d on a GPU, as it is defined: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous
from .._shapes import Window
from ._cuda_sizes import cuda_sizes

FILE = CudaFile("conv2d/cuda.cu")


def conv2d_forward_v1_direct(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(conv(x, w) + bias + residual)"""
    bias, residual, low, high = epilogue.on_cuda()
    sizes = np.int64(y.size), *cuda_sizes(x.shape, w.shape, y.shape, window)
    arrays = contiguous(x), contiguous(w), bias, residual, y
    FILE.each(y, "conv2d_forward_v1_direct", y.size, *arrays, low, high, *sizes)
    return epilogue.rest(y)
