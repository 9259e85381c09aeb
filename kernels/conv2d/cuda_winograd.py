"""v5_winograd_2 and v6_winograd_4 on a GPU: what cuda_winograd.cu is launched with."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._device import device
from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Pair, Window, ceil_div, pieces
from .._where import device_of
from ._choice import WINOGRAD_NEEDS, winograd_fits
from .cuda_product import products

FILE = CudaFile("conv2d/cuda_winograd.cu", variants=(("M=2",), ("M=4",)))
# Tiles that are done together: so few that much of v and s stays in the cache of a large GPU, so many that the blocks
# of a product go round its multiprocessors more than once.
WORKSPACE = 1 << 24  # floats
LEAST_TILES = 1024


def evaluate_kernel(w: Any, m: int) -> Any:
    """u (points, C, F), the values of w (3,3,C,F) at the points of tiles of m x m outputs.

    Raises
    ------
    UnsupportedError
        w is no kernel of 3x3.
    """
    if w.shape[:2] != (3, 3):
        raise UnsupportedError(WINOGRAD_NEEDS)
    u = device(device_of(w)).xp.empty(((m + 2) ** 2, *w.shape[2:]), w.dtype)
    count = u[0].size
    FILE.each(w, "conv2d_winograd_kernel", count, contiguous(w), u, np.int64(count), variant=(f"M={m}",))
    return u


def convolve(m: int, x: Any, u: Any, corner: Pair, epilogue: Epilogue, y: Any) -> Any:
    """y by tiles of m x m outputs, from values u (points, C, F) of a kernel; `corner` is the padding (top, left).

    Raises
    ------
    ArgumentError
        One image has more numbers than the kernels count to.
    """
    if not y.size:
        return y
    ints(x[0].size)
    images, height, width, filters = y.shape
    points, channels, variant = len(u), x.shape[3], (f"M={m}",)
    grid = ceil_div(height, m), ceil_div(width, m)
    tiles = images * grid[0] * grid[1]
    some = pieces(tiles, max(LEAST_TILES, WORKSPACE // (points * (channels + filters))))
    empty = device(device_of(y)).xp.empty
    v, s = (empty(points * some * numbers, y.dtype) for numbers in (channels, filters))
    x, (bias, residual, low, high) = contiguous(x), epilogue.on_cuda()
    for first in range(0, tiles, some):
        count = min(some, tiles - first)
        ends, sizes = (np.int64(first), np.int64(count * channels)), ints(*x.shape[1:], *grid, *corner)
        FILE.each(y, "conv2d_winograd_image", count * channels, x, v, *ends, *sizes, variant=variant)
        products(v, u, (points, count, channels, filters), s)
        ends, sizes = (np.int64(first), np.int64(count * filters)), ints(*y.shape[1:], *grid)
        numbers = low, high, *ends, *sizes
        FILE.each(y, "conv2d_winograd_output", count * filters, s, bias, residual, y, *numbers, variant=variant)
    return epilogue.rest(y)


def _forward(m: int, x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any, u: Any) -> Any:
    if not winograd_fits(w.shape[:2], window):
        raise UnsupportedError(WINOGRAD_NEEDS)
    (top, _), (left, _) = window.padding
    return convolve(m, x, evaluate_kernel(w, m) if u is None else u, (top, left), epilogue, y)


def conv2d_forward_v5_winograd_2(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any, u: Any = None) -> Any:
    """y by tiles of 2 x 2 outputs; `u` are the values of w at the points, if made before"""
    return _forward(2, x, w, window, epilogue, y, u)


def conv2d_forward_v6_winograd_4(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any, u: Any = None) -> Any:
    """y by tiles of 4 x 4 outputs; `u` are the values of w at the points, if made before"""
    return _forward(4, x, w, window, epilogue, y, u)
