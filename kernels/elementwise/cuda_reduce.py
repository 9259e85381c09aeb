"""Sums of repeated operands on a GPU: how the two stages of cuda_reduce.cu are cut, by the shape alone."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._broadcast import merged_axes
from .._device import device
from .._gpu.file import THREADS, CudaFile, contiguous, ints
from .._shapes import ceil_div
from .._where import device_of
from .cuda import FILE as DIRECT

FILE = CudaFile("elementwise/cuda_reduce.cu")
WARP = 32
LEAST = 16  # numbers that a thread adds before its chunk is cut
BLOCKS = 2048  # that keep a large GPU busy
MOST_CHUNKS = 256


class Cut(NamedTuple):
    """Threads of a block along the inner axis and along the chunk, chunks, numbers in a chunk, blocks."""

    lanes: int
    rows: int
    chunks: int
    chunk: int
    blocks: int


def elementwise_reduce_v1_direct(x: Any, y: Any) -> Any:
    """y = the sum of x over the axes that y lacks or has once, one such axis after the other"""
    x, empty = contiguous(x), device(device_of(y)).xp.empty
    for outer, repeated, inner in passes(x.shape, y.shape):
        sums = y if outer * inner == y.size else empty(outer * inner, np.float32)
        sizes = map(np.int64, (sums.size, repeated, inner))
        DIRECT.each(y, "elementwise_reduce_v1_direct", sums.size, x, sums, *sizes)
        x = sums
    return y


def elementwise_reduce_v2_chunks(x: Any, y: Any) -> Any:
    """y = the sum of x over the axes that y lacks or has once, chunk by chunk"""
    x, empty = contiguous(x), device(device_of(y)).xp.empty
    for outer, repeated, inner in passes(x.shape, y.shape):
        sums = y if outer * inner == y.size else empty(outer * inner, np.float32)
        cut = cut_of(outer, repeated, inner)
        partial = empty(sums.size * cut.chunks, np.float64) if cut.chunks > 1 else None
        sizes = *map(np.int64, (outer, repeated, inner)), *ints(cut.lanes, cut.rows, cut.chunks), np.int64(cut.chunk)
        FILE.launch(y, "elementwise_reduce_v2_chunks", cut.blocks, THREADS, x, sums, partial, *sizes)
        if partial is not None:
            sizes = np.int64(sums.size), *ints(cut.chunks), np.int64(inner)
            FILE.each(y, "elementwise_reduce_v2_combine", sums.size, partial, sums, *sizes)
        x = sums
    return y


def passes(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """x as (outer, repeated, inner) for each sum over its middle axis that must be made in turn.

    >>> passes((2, 3, 4, 5), (3, 1, 5))
    [(1, 2, 60), (3, 4, 5)]
    """
    axes = merged_axes(x_shape, y_shape)
    sizes, found = [size for size, _ in axes], []
    for i, (size, (repeated,)) in enumerate(axes):
        if repeated:
            found.append((prod(sizes[:i]), size, prod(sizes[i + 1 :])))
            sizes[i] = 1
    return found or [(1, 1, prod(sizes))]


def cut_of(outer: int, repeated: int, inner: int) -> Cut:
    """How x (outer,repeated,inner) is cut.

    >>> cut_of(1, 256 * 56 * 56, 64)
    Cut(lanes=32, rows=8, chunks=256, chunk=3136, blocks=512)
    """
    lanes = min(WARP, _power_of_two(inner))
    rows = min(THREADS // lanes, _power_of_two(repeated))
    tiles = ceil_div(outer, THREADS // lanes // rows) * ceil_div(inner, lanes)
    wanted = min(ceil_div(BLOCKS, max(tiles, 1)), ceil_div(repeated, rows * LEAST), MOST_CHUNKS)
    chunk = max(ceil_div(repeated, max(wanted, 1)), 1)
    chunks = max(ceil_div(repeated, chunk), 1)
    return Cut(lanes, rows, chunks, chunk, tiles * chunks)


def _power_of_two(size: int) -> int:
    """The first power of two that is not smaller."""
    return 1 << max(size - 1, 0).bit_length()
