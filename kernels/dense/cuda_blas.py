"""v2_blas on a GPU: the product by cuBLAS, through the device's array module; in the emulator it is NumPy's.

cuBLAS chooses its kernels and their order of summation itself.  It multiplies in float32, unless CUPY_TF32 is set.
"""

from typing import Any

import numpy as np

from .._device import device
from .._epilogue import Epilogue
from .._gpu.file import contiguous, ints
from .._where import device_of
from ..conv2d.cuda_chunks import FILE
from .cuda import weights_of


def _product(a: Any, b: Any, c: Any) -> Any:
    return device(device_of(c)).xp.matmul(a, b, out=c)


def dense_forward_v2_blas(x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x @ w + bias + residual), finished in a pass of its own"""
    _product(contiguous(x), weights_of(w), y)
    if epilogue.bias is not None or epilogue.residual is not None or epilogue.clips:
        bias, residual, low, high = epilogue.on_cuda()
        numbers = low, high, np.int64(y.size), *ints(1, y.shape[1])
        FILE.each(y, "conv2d_forward_chunks", y.size, y, bias, residual, y, *numbers)
    return epilogue.rest(y)


def dense_backward_input_v2_blas(dy: Any, w: Any, dx: Any) -> Any:
    """dx = dy @ w transposed"""
    return _product(contiguous(dy), weights_of(w).T, dx)


def dense_backward_weights_v2_blas(x: Any, dy: Any, dw: Any) -> Any:
    """dw = x transposed @ dy"""
    return _product(contiguous(x).T, contiguous(dy), dw)
