"""v3_vector on a GPU: what cuda_vector.cu is launched with."""

from typing import Any

import numpy as np

from .._device import device
from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from .._gpu.lanes import VARIANTS, lanes
from .._shapes import Window, ceil_div
from .._where import device_of
from .cuda import cuda_sizes

FILE = CudaFile("depthwise_conv2d/cuda_vector.cu", variants=VARIANTS)
PIXELS = 4  # of a row, for one thread, as in cuda_vector.cu
ACROSS, SLICES = 8, 32  # threads of a block of the weight gradient: along the channels, and along the rows
BLOCKS = 1024  # of a weight gradient, more or less: several for each multiprocessor of a large GPU


def _variant(w_shape: tuple[int, ...], *arrays: Any) -> tuple[int, tuple[str, ...]]:
    """(channels that a thread takes together, the build for them)"""
    width = lanes(w_shape[2], *(array for array in arrays if array is not None)) if w_shape[3] == 1 else 1
    return width, (f"LANES={width}",)


def flat(w: Any) -> Any:
    """w (KH,KW,C,M) as (KH,KW,C*M)."""
    return contiguous(w).reshape(*w.shape[:2], -1)


def depthwise_conv2d_forward_v3_vector(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(depthwise(x, w) + bias + residual), PIXELS pixels of a row for every thread"""
    sizes = cuda_sizes(x.shape, w.shape, y.shape, window)
    bias, residual, low, high = epilogue.on_cuda()
    arrays = contiguous(x), flat(w), bias, residual, y
    width, variant = _variant(w.shape, *arrays)
    images, rows, columns, filters = y.shape
    count = images * rows * ceil_div(columns, PIXELS) * (filters // width)
    numbers = low, high, np.int64(count), *sizes
    FILE.each(y, "depthwise_conv2d_forward_v3_vector", count, *arrays, *numbers, variant=variant)
    return epilogue.rest(y)


def depthwise_conv2d_backward_input_v3_vector(dy: Any, w: Any, window: Window, dx: Any) -> Any:
    """dx = the sum of dy * w over every window that saw the pixel, PIXELS pixels of a row for every thread"""
    sizes = cuda_sizes(dx.shape, w.shape, dy.shape, window)
    arrays = contiguous(dy), flat(w), dx
    width, variant = _variant(w.shape, *arrays)
    images, rows, columns, channels = dx.shape
    step = window.strides[1]
    count = images * rows * ceil_div(columns, PIXELS * step) * step * (channels // width)
    numbers = np.int64(count), *sizes
    FILE.each(dx, "depthwise_conv2d_backward_input_v3_vector", count, *arrays, *numbers, variant=variant)
    return dx


def chunk_rows_of(dy_shape: tuple[int, ...], blocks: int) -> int:
    """Rows of dy (N,OH,OW,F) in a chunk, where so many blocks make the gradient of one: by the shapes alone."""
    rows = dy_shape[0] * dy_shape[1]
    chunks = min(ceil_div(BLOCKS, blocks), ceil_div(rows, SLICES))
    return ceil_div(rows, max(1, chunks))


def empty_parts(chunks: int, dw: Any) -> Any:
    """Room for the gradients of so many chunks."""
    return device(device_of(dw)).xp.empty((chunks, *dw.shape), dw.dtype)


def add_chunks(parts: Any, dw: Any) -> Any:
    """dw = the sum of parts (chunks, of dw), in their order"""
    numbers = ints(dw.size, len(parts))
    FILE.each(dw, "depthwise_conv2d_backward_weights_sum", dw.size, parts, dw, *numbers, variant=VARIANTS[0])
    return dw


def depthwise_conv2d_backward_weights_v3_vector(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = the sum of x * dy over every position of the window, in chunks of rows that are added in order"""
    if not dy.size:
        dw.fill(0)
        return dw
    sizes = cuda_sizes(x.shape, dw.shape, dy.shape, window)
    taps, filters, rows = dw.shape[0] * dw.shape[1], dy.shape[3], dy.shape[0] * dy.shape[1]
    arrays = contiguous(x), contiguous(dy)
    width, variant = _variant(dw.shape, *arrays)
    chunk_rows = chunk_rows_of(dy.shape, taps * ceil_div(filters, 4 * ACROSS))
    parts = empty_parts(ceil_div(rows, chunk_rows), dw)
    numbers = *ints(rows, chunk_rows), *sizes
    grid, kernel = (ceil_div(filters, width * ACROSS), taps, len(parts)), "depthwise_conv2d_backward_weights_v3_vector"
    FILE.launch(dw, kernel, grid, ACROSS * SLICES, *arrays, parts, *numbers, variant=variant)
    return add_chunks(parts, dw)
