"""v6_winograd_4, the weight gradient: what cuda_weights_winograd.cu and cuda_weights_product.cu are launched with."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._device import device
from .._gpu.blocks import VARIANTS, Blocking, vector
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Window, ceil_div, pieces
from .._where import device_of
from . import cuda_winograd
from ._choice import WINOGRAD_NEEDS, winograd_fits
from .cuda_weights_blocked import weight_blocking
from .cuda_winograd import LEAST_TILES, WORKSPACE

FILE = CudaFile("conv2d/cuda_weights_winograd.cu")
PRODUCT = CudaFile("conv2d/cuda_weights_product.cu", variants=VARIANTS)
SIDE = 4  # of a tile of dy
POINTS = (SIDE + 2) ** 2


def conv2d_backward_weights_v6_winograd_4(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw by tiles of 4 x 4 outputs"""
    if not winograd_fits(dw.shape[:2], window):
        raise UnsupportedError(WINOGRAD_NEEDS)
    if not dy.size:
        dw.fill(0)
        return dw
    x, dy = contiguous(x), contiguous(dy)
    channels, filters = dw.shape[2:]
    grid = ceil_div(dy.shape[1], SIDE), ceil_div(dy.shape[2], SIDE)
    tiles = dy.shape[0] * grid[0] * grid[1]
    some = pieces(tiles, max(LEAST_TILES, WORKSPACE // (POINTS * (channels + filters))))
    empty = device(device_of(dw)).xp.empty
    v, z = (empty(POINTS * some * numbers, dw.dtype) for numbers in (channels, filters))
    plan = weight_blocking(channels, filters, some, POINTS, vector((channels, filters), v, z))
    parts = empty((plan.chunks(some), POINTS, channels, filters), dw.dtype)
    for first in range(0, tiles, some):
        count = min(some, tiles - first)
        _evaluate(x, dy, window, grid, first, count, v, z)
        _add_products(v, z, count, plan, parts, first > 0)
    sizes = np.int64(channels * filters), *ints(len(parts))
    FILE.each(dw, "conv2d_winograd_taps", channels * filters, parts, dw, *sizes)
    return dw


def _evaluate(x: Any, dy: Any, window: Window, grid: tuple[int, int], first: int, count: int, v: Any, z: Any) -> None:
    """v (points, count, C) and z (points, count, F): the tiles from `first` on at the points."""
    (top, _), (left, _) = window.padding
    ends = np.int64(first), np.int64(count * x.shape[3])
    sizes, variant = ints(*x.shape[1:], *grid, top, left), (f"M={SIDE}",)
    cuda_winograd.FILE.each(v, "conv2d_winograd_image", count * x.shape[3], x, v, *ends, *sizes, variant=variant)
    ends, sizes = (np.int64(first), np.int64(count * dy.shape[3])), ints(*dy.shape[1:], *grid)
    FILE.each(z, "conv2d_winograd_gradient", count * dy.shape[3], dy, z, *ends, *sizes)


def _add_products(v: Any, z: Any, count: int, plan: Blocking, parts: Any, adds: bool) -> None:
    """parts (chunks, points, C, F) = v transposed @ z for each chunk of the tiles, added to what is there or not."""
    chunks, points, channels, filters = parts.shape
    grid = plan.blocks(channels, filters), chunks, points
    numbers = ints(channels, count, filters, plan.steps, adds)
    PRODUCT.launch(parts, "conv2d_weight_products", grid, plan.threads, v, z, parts, *numbers, variant=plan.variant)
