"""v1_direct on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from ._storage import Stored

FILE = CudaFile("dense/cuda.cu")


def weights_of(w: Any) -> Any:
    """w (I,O) in order.

    Raises
    ------
    UnsupportedError
        They are stored in fewer bits.
    """
    if isinstance(w, Stored):
        raise UnsupportedError(
            "dense: kernels for a GPU read weights in float32; prepare() of weights that are on it restores stored ones"
        )
    return contiguous(w)


def dense_forward_v1_direct(x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x @ w + bias + residual)"""
    bias, residual, low, high = epilogue.on_cuda()
    arrays = contiguous(x), weights_of(w), bias, residual, y
    FILE.each(y, "dense_forward_v1_direct", y.size, *arrays, low, high, np.int64(y.size), *ints(*w.shape))
    return epilogue.rest(y)


def dense_backward_input_v1_direct(dy: Any, w: Any, dx: Any) -> Any:
    """dx = dy @ w transposed"""
    arrays = contiguous(dy), weights_of(w), dx
    FILE.each(dx, "dense_backward_input_v1_direct", dx.size, *arrays, np.int64(dx.size), *ints(*w.shape))
    return dx


def dense_backward_weights_v1_direct(x: Any, dy: Any, dw: Any) -> Any:
    """dw = x transposed @ dy"""
    arrays = contiguous(x), contiguous(dy), dw
    FILE.each(dw, "dense_backward_weights_v1_direct", dw.size, *arrays, np.int64(dw.size), *ints(len(x), *dw.shape))
    return dw
