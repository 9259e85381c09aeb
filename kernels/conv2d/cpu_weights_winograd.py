"""v6_winograd_4, the weight gradient: image and dy meet at Winograd's points, and sums go back to taps.

    dw = G' [ (A dy A') * (B' d B) ] G          (`_winograd.py` has the formulas)

The element-wise product, summed over all tiles, is one product of matrices for each point: 36 multiplications do for
a tile, where the definition takes 144.  A block owns some channels and filters: it walks over its tiles, a few at a
time, with the sums of all points in cache, and takes them back to taps at the end.
"""

from typing import NamedTuple

import numpy as np

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._host import TILE
from .._jit import helper, kernel
from .._runs import copy_run
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, ROWS, tile_product
from ._choice import WINOGRAD_NEEDS, winograd_fits
from ._geometry import Geometry, geometry
from ._slices import add_slices
from ._winograd import TAPS
from .cpu_winograd_simd import taps_from_points_4
from .cpu_winograd_tiles import evaluate_gradient_4, evaluate_image

LANES = TILE.lanes
SIDE = 4  # of a tile of dy
POINTS = (SIDE + 2) ** 2
TILES = 56  # evaluated at a time
CHANNELS = 128  # of a block, at the most
PANELS = 2  # of its filters
BLOCKS = 8  # worth having, so that several threads have work

_evaluate_image = evaluate_image[SIDE]


class Blocking(NamedTuple):
    """Sizes of a block, and how many there are of each: functions of the shapes alone."""

    channels: int
    panels: int
    tiles: int
    channel_blocks: int
    panel_blocks: int
    slices: int


@helper
def _write(sums, s_point, g, c0, channels, p0, panels, rows, taps, dw, start):
    """The taps of some channels and panels, from sums (points, panels, rows, COLUMNS)."""
    apart = g.channels * g.filters
    for p in range(panels):
        f0 = (p0 + p) * COLUMNS
        filters = min(COLUMNS, g.filters - f0)
        for c in range(channels):
            at, to = (p * rows + c) * COLUMNS, start + (c0 + c) * g.filters + f0
            for f in range(0, COLUMNS, LANES):
                if f + LANES <= filters:
                    taps_from_points_4(sums, at + f, 6 * s_point, s_point, dw, to + f, apart)
                else:
                    taps_from_points_4(sums, at + f, 6 * s_point, s_point, taps, 0, LANES)
                    for tap in range(TAPS * TAPS):
                        copy_run(taps, tap * LANES, dw, to + f + tap * apart, filters - f)


@kernel
def _weight_blocks(start, stop, x, dy, g, blocking, dw):
    """Blocks of (slice of tiles, range of panels, range of channels); each writes its own part of dw (slices,K,F)."""
    grid = ((g.out_height + SIDE - 1) // SIDE, (g.out_width + SIDE - 1) // SIDE)
    image, gradient = (g.height, g.width, g.channels), (g.out_height, g.out_width, g.filters)
    tiles, panels = g.images * grid[0] * grid[1], (g.filters + COLUMNS - 1) // COLUMNS
    rows = (blocking.channels + ROWS - 1) // ROWS * ROWS
    v_pitch, z_pitch = blocking.channels + ROWS + LANES, blocking.panels * COLUMNS + LANES
    v_point, z_point, s_point = TILES * v_pitch, TILES * z_pitch, blocking.panels * rows * COLUMNS + LANES
    patch = np.empty(POINTS * max(v_pitch, z_pitch), np.float32)
    v, z = np.zeros(POINTS * v_point, np.float32), np.empty(POINTS * z_point, np.float32)
    sums, taps = np.empty(POINTS * s_point, np.float32), np.empty(TAPS * TAPS * LANES, np.float32)
    for block in range(start, stop):
        c0, rest = block % blocking.channel_blocks * blocking.channels, block // blocking.channel_blocks
        p0, part = rest % blocking.panel_blocks * blocking.panels, rest // blocking.panel_blocks
        block_panels = min(blocking.panels, panels - p0)
        channels = min(blocking.channels, g.channels - c0)
        depth = (channels + LANES - 1) // LANES * LANES
        end = min((part + 1) * blocking.tiles, tiles)
        for first in range(part * blocking.tiles, end, TILES):
            count, again = min(TILES, end - first), first - part * blocking.tiles
            width = block_panels * COLUMNS
            _evaluate_image(x, image, (-g.top, -g.left), grid, first, count, c0, depth, patch, v, v_pitch, v_point)
            evaluate_gradient_4(
                dy, gradient, (0, 0), grid, first, count, p0 * COLUMNS, width, patch, z, z_pitch, z_point
            )
            for point in range(POINTS):
                for p in range(block_panels):
                    for r in range(0, channels, ROWS):
                        to = point * s_point + (p * rows + r) * COLUMNS
                        at, b = point * v_point + r, point * z_point + p * COLUMNS
                        tile_product(v, at, 1, v_pitch, z, b, z_pitch, sums, to, COLUMNS, count, again)
        _write(sums, s_point, g, c0, channels, p0, block_panels, rows, taps, dw, part * 9 * g.channels * g.filters)


def weight_blocking(g: Geometry) -> Blocking:
    """Blocks whose sums fit into cache, in as many slices of tiles as give enough of them."""
    tiles = g.images * ceil_div(g.out_height, SIDE) * ceil_div(g.out_width, SIDE)
    channels = ceil_div(pieces(g.channels, CHANNELS), LANES) * LANES
    panels = pieces(g.panels, PANELS)
    channel_blocks, panel_blocks = ceil_div(g.channels, channels), ceil_div(g.panels, panels)
    wanted = ceil_div(BLOCKS, channel_blocks * panel_blocks)
    part = ceil_div(ceil_div(tiles, wanted), TILES) * TILES
    return Blocking(channels, panels, part, channel_blocks, panel_blocks, ceil_div(tiles, part))


def conv2d_backward_weights_v6_winograd_4(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> np.ndarray:
    """dw by tiles of 4 x 4 outputs"""
    if not winograd_fits(dw.shape[:2], window):
        raise UnsupportedError(WINOGRAD_NEEDS)
    g = geometry(x.shape, dw.shape, dy.shape, window)
    if not g.pixels:
        dw[:] = 0
        return dw
    b = weight_blocking(g)
    arguments = operand(x).reshape(-1), operand(dy).reshape(-1), g, b
    add_slices(_weight_blocks, b.channel_blocks * b.panel_blocks, b.slices, g.work, arguments, dw)
    return dw
