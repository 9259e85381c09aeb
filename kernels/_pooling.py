"""What the pooling operations share: their windows, checked, and their sizes as compiled loops want them."""

from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from ._gpu.file import ints
from ._shapes import Padding, Pair, Window, pair, resolve_window, window_outputs


class Pool(NamedTuple):
    """A window of taps (KH,KW), how it slides, and the shape of what it makes."""

    taps: Pair
    window: Window
    shape: tuple[int, int, int, int]


class Sizes(NamedTuple):
    """Sizes of the pooled image and of its pools, as plain integers for compiled code."""

    images: int
    height: int
    width: int
    channels: int
    out_height: int
    out_width: int


def resolve_pool(
    op: str, x_shape: tuple[int, ...], pool_size: int | Pair, strides: int | Pair | None, padding: Padding
) -> Pool:
    """The Pool of a window over x (N,H,W,C); strides None means the window's own size.

    Raises
    ------
    ShapeError, ArgumentError
        Among them a padding as large as the window: some pool would have no pixel at all.
    """
    if len(x_shape) != 4:
        raise ShapeError(f"{op}: x must be (N,H,W,C); it is {x_shape}")
    taps = pair(pool_size, "pool_size")
    window = resolve_window(x_shape[1:3], taps, taps if strides is None else strides, padding)
    if any(max(sides) >= size for sides, size in zip(window.padding, taps)):
        raise ArgumentError(f"{op}: the padding must be smaller than the pool {taps}; it is {padding!r}")
    outputs = window_outputs(x_shape[1:3], taps, window, op)
    return Pool(taps, window, (x_shape[0], *outputs, x_shape[3]))


def whole_image(op: str, x_shape: tuple[int, ...]) -> Pool:
    """The Pool of all pixels of each image."""
    if len(x_shape) != 4 or 0 in x_shape[1:3]:
        raise ShapeError(f"{op}: x must be (N,H,W,C) with at least one pixel; it is {x_shape}")
    return resolve_pool(op, x_shape, x_shape[1:3], None, "valid")


def check_shape(op: str, name: str, array: Any, shape: tuple[int, ...]) -> None:
    """Raise ShapeError unless the array has the shape."""
    if array.shape != shape:
        raise ShapeError(f"{op}: {name} must have the output's shape {shape}, it has {array.shape}")


def cuda_sizes(x_shape: tuple[int, ...], pool: Pool) -> tuple[np.int32, ...]:
    """(height, width, channels, out height, out width, taps, steps, top, left) as kernels for a GPU take them."""
    (step_h, step_w), ((top, _), (left, _)), _, _ = pool.window
    return ints(*x_shape[1:], *pool.shape[1:3], *pool.taps, step_h, step_w, top, left)
