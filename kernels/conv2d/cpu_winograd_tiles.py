"""Tiles of an image at Winograd's points: the first stage of each rung that multiplies there."""

from typing import Any

from .._host import TILE
from .._jit import helper
from .._runs import clear_run, copy_run
from .cpu_winograd_simd import gradient_to_points_4, to_points_2, to_points_4

LANES = TILE.lanes


@helper
def tile_place(tile, high, wide, m):
    """(image, first row, first column) of a tile, of high x wide tiles of m x m pixels in each image."""
    return tile // (high * wide), tile // wide % high * m, tile % wide * m


@helper
def _copy_tile(x, size, n, top, left, side, c0, depth, patch):
    """patch (side, side, depth) = the pixels from (top, left) of image n; zero outside, and beyond the channels."""
    height, width, channels = size
    count = min(depth, channels - c0)
    for i in range(side):
        for j in range(side):
            to = (i * side + j) * depth
            clear_run(patch, to, depth)
            if 0 <= top + i < height and 0 <= left + j < width:
                at = ((n * height + top + i) * width + left + j) * channels + c0
                copy_run(x, at, patch, to, count)


def _make_evaluate(transform: Any, m: int, side: int) -> Any:
    """The stage for tiles of m x m pixels, of which a transform reads side x side."""

    @helper
    def evaluate(x, size, origin, grid, first, count, c0, depth, patch, v, pitch, v_point):
        """v (points, count, pitch) = tiles first .. first + count - 1 at the points, channels c0 .. c0 + depth - 1.

        x are images of `size` (height, width, channels), whose tile (0, 0) begins at `origin`; depth is whole vectors.
        """
        height, width, channels = size
        for t in range(count):
            n, i, j = tile_place(first + t, grid[0], grid[1], m)
            top, left = i + origin[0], j + origin[1]
            inside = top >= 0 and left >= 0 and top + side <= height and left + side <= width
            if inside and c0 + depth <= channels:
                source, start = x, ((n * height + top) * width + left) * channels + c0
                pixel, row = channels, width * channels
            else:
                _copy_tile(x, size, n, top, left, side, c0, depth, patch)
                source, start, pixel, row = patch, 0, depth, side * depth
            for c in range(0, depth, LANES):
                transform(source, start + c, row, pixel, v, t * pitch + c, v_point)

    return evaluate


evaluate_image = {2: _make_evaluate(to_points_2, 2, 4), 4: _make_evaluate(to_points_4, 4, 6)}  # by m
evaluate_gradient_4 = _make_evaluate(gradient_to_points_4, 4, 4)
