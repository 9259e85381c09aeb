"""The weight gradient of conv2d on a GPU: what cuda_weights.cu is launched with."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._device import device
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Window, ceil_div
from .._where import device_of
from ._cuda_sizes import cuda_sizes

FILE = CudaFile("conv2d/cuda_weights.cu")
NUMBERS = 1 << 18  # in all chunks together: threads that fill a large GPU
LEAST_PIXELS = 32  # of a chunk: fewer are added faster than their sum is written


def conv2d_backward_weights_v1_direct(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the sum of x * dy over every position of the window"""
    rows, chunk_rows = dy.shape[0] * dy.shape[1], rows_of_chunk(dy.shape, dw.size)
    sizes = cuda_sizes(x.shape, dw.shape, dy.shape, window)

    def launch(parts: Any) -> None:
        numbers = np.int64(parts.size), *ints(rows, chunk_rows), *sizes
        FILE.each(dw, "conv2d_backward_weights_v1_direct", parts.size, contiguous(x), contiguous(dy), parts, *numbers)

    return add_chunks(launch, ceil_div(rows, chunk_rows), dw)


def rows_of_chunk(dy_shape: tuple[int, ...], weights: int) -> int:
    """Rows of dy (N,OH,OW,F) that are summed together: a function of the shapes alone."""
    images, height, width, _ = dy_shape
    return max(1, ceil_div(images * height, ceil_div(NUMBERS, weights)), ceil_div(LEAST_PIXELS, width))


def add_chunks(launch: Callable[[Any], None], chunks: int, dw: Any) -> Any:
    """dw = the gradients that `launch` writes into parts (chunks, of dw), added in order."""
    if chunks == 0:
        dw.fill(0)
    elif chunks == 1:
        launch(dw)
    else:
        parts = device(device_of(dw)).xp.empty((chunks, *dw.shape), dw.dtype)
        launch(parts)
        FILE.each(dw, "conv2d_backward_weights_sum", dw.size, parts, dw, np.int64(dw.size), *ints(chunks))
    return dw
