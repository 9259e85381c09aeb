"""conv2d through shared memory: what cuda_tiled.cu is launched with."""

from typing import Any

from minicnn.errors import UnsupportedError

from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Pair, Window, ceil_div, span
from ._cuda_sizes import cuda_sizes

FILE = CudaFile("conv2d/cuda_tiled.cu")
ROWS, COLUMNS, FILTERS, THREADS = 8, 8, 32, 256  # as in cuda_tiled.cu
SHARED_FLOATS = 12288  # 48 KiB, which every GPU has for a block without being asked
SECTOR = 8  # floats that memory hands out together


def conv2d_forward_v3_tiled(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(conv(x, w) + bias + residual), from tiles of the image and weights in shared memory"""
    images, height, width, filters = y.shape
    depth, floats = staged(w.shape, window)
    tiles = images * ceil_div(height, ROWS) * ceil_div(width, COLUMNS)
    blocks = tiles * window.groups * ceil_div(filters // window.groups, FILTERS)
    bias, residual, low, high = epilogue.on_cuda()
    sizes = *ints(depth), *cuda_sizes(x.shape, w.shape, y.shape, window)
    arrays = contiguous(x), contiguous(w), bias, residual, y
    FILE.launch(
        y, "conv2d_forward_v3_tiled", blocks, THREADS, *arrays, low, high, *sizes, shared_bytes=floats * depth * 4
    )
    return epilogue.rest(y)


def staged(w_shape: tuple[int, ...], window: Window) -> Pair:
    """(channels in shared memory at a time, floats of each).

    Raises
    ------
    UnsupportedError
        Not one channel has room.
    """
    taps_h, taps_w, channels, _ = w_shape
    (step_h, step_w), _, (gap_h, gap_w), _ = window
    patch = ((ROWS - 1) * step_h + span(taps_h, gap_h)) * ((COLUMNS - 1) * step_w + span(taps_w, gap_w))
    floats = patch + taps_h * taps_w * FILTERS
    most = min(channels, SHARED_FLOATS // floats)
    if most == 0:
        raise UnsupportedError(f"conv2d: windows of {taps_h} x {taps_w} with these steps do not fit shared memory")
    return most - most % SECTOR if most > SECTOR else most, floats
