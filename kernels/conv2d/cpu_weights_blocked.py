"""v4_blocked, the weight gradient: windows copied block by block, with the pixels as the summed dimension.

    dw (K,F) = patches (pixels,K) transposed @ dy (pixels,F),    K = KH KW C

A block owns a rectangle of dw, which stays in cache while PIXELS windows at a time are copied and multiplied: copies
are read for many filters, and a sum runs over many pixels however narrow the image is.  Where dw has too few blocks
to share out, so do the pixels: each slice of them makes a dw of its own, and these are added in order.  Of 1x1 kernels
the next pixels are fetched into the cache, a few between two products.
"""

from typing import NamedTuple

import numpy as np

from .._arrays import operand
from .._host import TILE
from .._jit import helper, kernel
from .._runs import clear_run, copy_run, fetch_run
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, ROWS, tile_product
from ._geometry import Geometry, geometry, is_pointwise
from ._slices import add_slices
from .cpu_blocked import SAME_SET, copy_patches

PIXELS = 128  # summed at a time: so many rows of a panel of dy fill half of the first-level cache
TILES = 12  # register tiles in the rows of a block, at the most
PANELS = 8  # and in its columns
LONG_ROWS = 128  # channels of an image whose next pixels are worth asking for while others are multiplied
BLOCKS = 16  # worth having, so that several threads have work
LANES = TILE.lanes


class Blocking(NamedTuple):
    """Sizes of a block, and how many there are of each: functions of the shapes alone."""

    tiles: int
    panels: int
    pixels: int
    row_blocks: int
    panel_blocks: int
    slices: int


@helper
def _copy_panel(dy, g, group, f0, first, count, panel):
    """panel (count, COLUMNS) = filters f0 .. of pixels first .. of dy, filled up with zeros."""
    filters, row = min(COLUMNS, g.filters - f0), g.filters * g.groups
    for r in range(count):
        copy_run(dy, (first + r) * row + group * g.filters + f0, panel, r * COLUMNS, filters)
        clear_run(panel, r * COLUMNS + filters, COLUMNS - filters)


@helper
def _write(sums, g, group, k0, k1, tiles, p0, p1, dw, start):
    """Sums, tile by tile, to rows k0 .. k1 - 1 and panels p0 .. p1 - 1 of a dw that starts at `start`."""
    for p in range(p0, p1):
        filters = min(COLUMNS, g.filters - p * COLUMNS)
        to = start + group * g.filters + p * COLUMNS
        for k in range(k0, k1):
            at = ((p - p0) * tiles * ROWS + k - k0) * COLUMNS
            copy_run(sums, at, dw, to + k * g.filters * g.groups, filters)


@kernel
def _weight_blocks(start, stop, x, dy, g, blocking, dw):
    """Blocks of (slice of pixels, group, range of panels, range of rows); each writes its own part of (slices,K,F)."""
    k, panels = g.taps_h * g.taps_w * g.channels, (g.filters + COLUMNS - 1) // COLUMNS
    pixels = g.images * g.out_height * g.out_width
    x_row, y_row = g.channels * g.groups, g.filters * g.groups
    in_place = is_pointwise(g) and x_row % SAME_SET != 0
    ahead = is_pointwise(g) and g.channels >= LONG_ROWS
    pitch = blocking.tiles * ROWS + LANES
    patches = np.empty(PIXELS * pitch, np.float32)
    panel = np.empty(PIXELS * COLUMNS, np.float32)
    sums = np.empty(blocking.panels * blocking.tiles * ROWS * COLUMNS, np.float32)
    for block in range(start, stop):
        k0, rest = block % blocking.row_blocks * blocking.tiles * ROWS, block // blocking.row_blocks
        p0, rest = rest % blocking.panel_blocks * blocking.panels, rest // blocking.panel_blocks
        group, part = rest % g.groups, rest // g.groups
        k1, p1 = min(k0 + blocking.tiles * ROWS, k), min(p0 + blocking.panels, panels)
        end = min((part + 1) * blocking.pixels, pixels)
        for first in range(part * blocking.pixels, end, PIXELS):
            count = min(PIXELS, end - first)
            again = first - part * blocking.pixels
            a, a_start, a_row = x, first * x_row + group * g.channels + k0, x_row
            if not in_place or a_start + (count - 1) * x_row + blocking.tiles * ROWS > x.size:
                a, a_start, a_row = patches, 0, pitch
                copy_patches(x, g, group, first, count, k0, k1, patches, pitch)
            products = (p1 - p0) * ((k1 - k0 + ROWS - 1) // ROWS)
            share, soon = (PIXELS + products - 1) // products, first + PIXELS
            for p in range(p0, p1):
                b, b_start, b_row = dy, first * y_row + group * g.filters + p * COLUMNS, y_row
                if (p + 1) * COLUMNS > g.filters:
                    b, b_start, b_row = panel, 0, COLUMNS
                    _copy_panel(dy, g, group, p * COLUMNS, first, count, panel)
                for t in range(0, k1 - k0, ROWS):
                    if ahead:
                        for q in range(soon, min(soon + share, end)):
                            fetch_run(x, q * x_row + group * g.channels + k0, k1 - k0)
                            fetch_run(dy, q * y_row + group * g.filters + p0 * COLUMNS, (p1 - p0) * COLUMNS)
                        soon += share
                    to = ((p - p0) * blocking.tiles * ROWS + t) * COLUMNS
                    tile_product(a, a_start + t, 1, a_row, b, b_start, b_row, sums, to, COLUMNS, count, again)
        _write(sums, g, group, k0, k1, blocking.tiles, p0, p1, dw, part * k * g.filters * g.groups)


def weight_blocking(g: Geometry) -> Blocking:
    """Blocks as large as cache holds, in as many slices of pixels as give enough of them."""
    rows = ceil_div(g.depth, ROWS)
    tiles, panels = pieces(rows, TILES), pieces(g.panels, PANELS)
    row_blocks, panel_blocks = ceil_div(rows, tiles), ceil_div(g.panels, panels)
    wanted = ceil_div(BLOCKS, row_blocks * panel_blocks * g.groups)
    pixels = ceil_div(ceil_div(g.pixels, wanted), PIXELS) * PIXELS
    return Blocking(tiles, panels, pixels, row_blocks, panel_blocks, ceil_div(g.pixels, pixels))


def conv2d_backward_weights_v4_blocked(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> np.ndarray:
    """dw = patches transposed @ dy, block by block"""
    g = geometry(x.shape, dw.shape, dy.shape, window)
    if not g.pixels:
        dw[:] = 0
        return dw
    b = weight_blocking(g)
    arguments = operand(x).reshape(-1), operand(dy).reshape(-1), g, b
    add_slices(_weight_blocks, b.row_blocks * b.panel_blocks * g.groups, b.slices, g.work, arguments, dw)
    return dw
