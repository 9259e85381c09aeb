"""v5_winograd_2 and v6_winograd_4: fewer multiplications.  One idea: multiply polynomials by their values at points.

    y = A' [ (G w G') * (B' d B) ] A          (`_winograd.py` has the formulas and where they come from)

A block of tiles goes through three stages while it is in cache: its pixels are evaluated at the points, V (points,
tiles, C); for each point V is multiplied with the kernels' values U (points, panels, C, COLUMNS); and the sums go
back to pixels, with bias and activation on the way.  Nothing of the size of the image is written in between.
"""

import numpy as np

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._epilogue import Epilogue
from .._host import TILE
from .._jit import helper, kernel
from .._memory import empty
from .._runs import clear_run, copy_run
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, HALF, ROWS, half_product, tile_product
from .._threads import parallel_for
from ._choice import winograd_fits
from ._geometry import Geometry, finish, geometry
from ._winograd import TAPS
from .cpu_winograd_simd import (
    from_points_2,
    from_points_4,
    kernel_points_2,
    kernel_points_4,
    to_points_2,
    to_points_4,
)

LANES = TILE.lanes
GROUP = 2  # panels of filters whose sums are in cache at a time
TILES = 28  # in a block at the least: two register tiles
MOST_TILES = 112
TILES_PER_CHANNEL = 7 / 32  # with many channels the time goes into reading U, which is read once for each block
MIN_BLOCKS = 4  # blocks worth having, so that several threads have work


@helper
def _copy_tile(x, g, n, top, left, side, depth, patch):
    """patch (side, side, depth) = the pixels from (top, left) of image n; zero outside, and beyond the channels."""
    for i in range(side):
        for j in range(side):
            to = (i * side + j) * depth
            clear_run(patch, to, depth)
            if 0 <= top + i < g.height and 0 <= left + j < g.width:
                at = ((n * g.height + top + i) * g.width + left + j) * g.channels
                copy_run(x, at, patch, to, g.channels)


@helper
def _tile_place(tile, g, m):
    """(image, first row, first column) of the outputs of a tile."""
    wide = (g.out_width + m - 1) // m
    high = (g.out_height + m - 1) // m
    return tile // (high * wide), tile // wide % high * m, tile % wide * m


@helper
def _evaluate(x, g, m, first, count, patch, v, pitch, v_point):
    """v (points, tiles, pitch) = the values of tiles first .. first + count - 1 at the points."""
    side = m + 2
    depth = (g.channels + LANES - 1) // LANES * LANES
    for t in range(count):
        n, i, j = _tile_place(first + t, g, m)
        top, left = i - g.top, j - g.left
        inside = top >= 0 and left >= 0 and top + side <= g.height and left + side <= g.width
        if inside and depth == g.channels:
            source, start, pixel, row = x, ((n * g.height + top) * g.width + left) * depth, depth, g.width * depth
        else:
            _copy_tile(x, g, n, top, left, side, depth, patch)
            source, start, pixel, row = patch, 0, depth, side * depth
        for c in range(0, depth, LANES):
            if m == 4:
                to_points_4(source, start + c, row, pixel, v, t * pitch + c, v_point)
            else:
                to_points_2(source, start + c, row, pixel, v, t * pitch + c, v_point)


@helper
def _multiply(v, pitch, v_point, u, g, points, panel, panels, count, sums, s_row, s_point):
    """sums (points, tiles, panels * COLUMNS) = v @ u for the panels from `panel` on."""
    all_panels = (g.filters + COLUMNS - 1) // COLUMNS
    for point in range(points):
        for p in range(panels):
            weights = (point * all_panels + panel + p) * g.channels * COLUMNS
            to = point * s_point + p * COLUMNS
            for r in range(0, count, ROWS):
                at = point * v_point + r * pitch
                if count - r <= HALF:
                    half_product(v, at, pitch, 1, u, weights, COLUMNS, sums, to + r * s_row, s_row, g.channels, 0)
                else:
                    tile_product(v, at, pitch, 1, u, weights, COLUMNS, sums, to + r * s_row, s_row, g.channels, 0)


@helper
def _write(sums, s_row, s_point, g, m, first, count, panel, epilogue, free, pixels, y):
    """One panel of filters of the outputs of tiles first .. first + count - 1; `free` is (bias, limits) of none."""
    bias, residual, has_residual, limits = epilogue
    f0, y_row = panel * COLUMNS, g.out_width * g.filters
    filters = min(COLUMNS, g.filters - f0)
    for t in range(count):
        n, i, j = _tile_place(first + t, g, m)
        to = ((n * g.out_height + i) * g.out_width + j) * g.filters + f0
        rows, columns = min(m, g.out_height - i), min(m, g.out_width - j)
        whole = rows == m and columns == m and filters == COLUMNS and not has_residual
        target, at, row, pixel, offset, o, within = pixels, 0, m * COLUMNS, COLUMNS, free[0], 0, free[1]
        if whole:
            target, at, row, pixel, offset, o, within = y, to, y_row, g.filters, bias, f0, limits
        for f in range(0, COLUMNS, LANES):
            if m == 4:
                from_points_4(sums, t * s_row + f, s_point, offset, o + f, target, at + f, row, pixel, within)
            else:
                from_points_2(sums, t * s_row + f, s_point, offset, o + f, target, at + f, row, pixel, within)
        if not whole:
            for r in range(rows):
                finish(
                    pixels[r * m * COLUMNS :], COLUMNS, columns, y, to + r * y_row, g.filters, filters, bias, f0,
                    residual, has_residual, limits,
                )  # fmt: skip


@kernel
def _winograd_blocks(start, stop, x, u, g, m, blocking, epilogue, y):
    """Blocks of (range of tiles, range of panels); each writes its own part of y."""
    block_tiles, block_panels = blocking
    points = (m + 2) * (m + 2)
    tiles = g.images * ((g.out_height + m - 1) // m) * ((g.out_width + m - 1) // m)
    panels = (g.filters + COLUMNS - 1) // COLUMNS
    panel_blocks = (panels + block_panels - 1) // block_panels
    depth = (g.channels + LANES - 1) // LANES * LANES
    pitch = depth + LANES  # else rows a power of two apart would meet in few sets of the cache
    rows = (block_tiles + ROWS - 1) // ROWS * ROWS
    v_point, s_row = rows * pitch, GROUP * COLUMNS
    s_point = rows * s_row + LANES
    patch = np.empty(points * depth, np.float32)
    v = np.empty(points * v_point, np.float32)
    sums = np.empty(points * s_point, np.float32)
    pixels = np.empty(m * m * COLUMNS, np.float32)
    free = (np.zeros(COLUMNS, np.float32), (np.float32(-np.inf), np.float32(np.inf)))
    evaluated = -1
    for block in range(start, stop):
        first = block // panel_blocks * block_tiles
        count = min(block_tiles, tiles - first)
        if first != evaluated:
            _evaluate(x, g, m, first, count, patch, v, pitch, v_point)
            evaluated = first
        p1 = block % panel_blocks * block_panels
        for p in range(p1, min(p1 + block_panels, panels), GROUP):
            group = min(GROUP, panels - p)
            _multiply(v, pitch, v_point, u, g, points, p, group, count, sums, s_row, s_point)
            for q in range(group):
                _write(sums[q * COLUMNS :], s_row, s_point, g, m, first, count, p + q, epilogue, free, pixels, y)


@kernel
def _evaluate_kernel(start, stop, w, channels, filters, m, u):
    """u (points, panels, C, COLUMNS) = the values of w (3,3,C,F) at the points, panels start .. stop - 1."""
    panels, taps = filters // COLUMNS, channels * filters
    for panel in range(start, stop):
        for c in range(channels):
            for f in range(0, COLUMNS, LANES):
                at, to = c * filters + panel * COLUMNS + f, (panel * channels + c) * COLUMNS + f
                if m == 4:
                    kernel_points_4(w, at, TAPS * taps, taps, u, to, panels * channels * COLUMNS)
                else:
                    kernel_points_2(w, at, TAPS * taps, taps, u, to, panels * channels * COLUMNS)


def evaluate_kernel(w: np.ndarray, m: int) -> np.ndarray:
    """w (3,3,C,F) at the points, in panels of filters, flat: (points, panels, C, COLUMNS)."""
    channels, filters = w.shape[2:]
    panels = ceil_div(filters, COLUMNS)
    if filters % COLUMNS:
        w = np.pad(w, ((0, 0), (0, 0), (0, 0), (0, panels * COLUMNS - filters)))
    u = empty(((m + 2) ** 2 * panels * channels * COLUMNS,))
    parallel_for(_evaluate_kernel, panels, u.size, operand(w).reshape(-1), channels, panels * COLUMNS, m, u)
    return u


def winograd_blocking(g: Geometry, m: int) -> tuple[int, int]:
    """(tiles, panels) of a block: a function of the shapes alone."""
    tiles = g.images * ceil_div(g.out_height, m) * ceil_div(g.out_width, m)
    block = pieces(tiles, max(TILES, min(MOST_TILES, int(g.channels * TILES_PER_CHANNEL))))
    splits = ceil_div(MIN_BLOCKS, ceil_div(tiles, block))
    groups = ceil_div(g.panels, GROUP)
    return block, ceil_div(groups, min(groups, splits)) * GROUP


def _convolve(
    m: int, x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray, u: np.ndarray | None
) -> np.ndarray:
    if not winograd_fits(w.shape[:2], window):
        raise UnsupportedError("Winograd's convolution is for 3x3 kernels with stride 1, dilation 1 and one group")
    if not y.size:
        return y
    g = geometry(x.shape, w.shape, y.shape, window)
    block_tiles, block_panels = winograd_blocking(g, m)
    blocks = ceil_div(g.images * ceil_div(g.out_height, m) * ceil_div(g.out_width, m), block_tiles)
    arguments = (
        operand(x).reshape(-1), evaluate_kernel(w, m) if u is None else u, g, m, (block_tiles, block_panels),
        epilogue.operands(g.filters), y.reshape(-1),
    )  # fmt: skip
    parallel_for(_winograd_blocks, blocks * ceil_div(g.panels, block_panels), g.work, *arguments)
    return epilogue.rest(y)


def conv2d_forward_v5_winograd_2(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray, u: np.ndarray | None = None
) -> np.ndarray:
    """y by tiles of 2 x 2 outputs; `u` are the values of w at the points, if made before"""
    return _convolve(2, x, w, window, epilogue, y, u)


def conv2d_forward_v6_winograd_4(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray, u: np.ndarray | None = None
) -> np.ndarray:
    """y by tiles of 4 x 4 outputs; `u` are the values of w at the points, if made before"""
    return _convolve(4, x, w, window, epilogue, y, u)
