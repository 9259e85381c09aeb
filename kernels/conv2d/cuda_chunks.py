"""Sums of a convolution that are split where there are few of them, so that a GPU has work for all its parts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._device import device
from .._epilogue import PLAIN, Epilogue
from .._gpu.file import CudaFile, ints
from .._where import device_of

FILE = CudaFile("conv2d/cuda_chunks.cu")


def in_chunks(launch: Callable[..., None], chunks: int, epilogue: Epilogue, y: Any) -> Any:
    """y, whose sums are made by `launch(bias, residual, low, high, to)`: parts (chunks, of y) that are added in order.

    One part is y itself, and finished where it is made.
    """
    bias, residual, low, high = epilogue.on_cuda()
    if chunks == 1:
        launch(bias, residual, low, high, y)
    else:
        parts = device(device_of(y)).xp.empty((chunks, *y.shape), y.dtype)
        launch(*PLAIN.on_cuda(), parts)
        numbers = low, high, np.int64(y.size), *ints(chunks, y.shape[-1])
        FILE.each(y, "conv2d_forward_chunks", y.size, parts, bias, residual, y, *numbers)
    return epilogue.rest(y)
