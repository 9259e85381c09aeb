"""v5_winograd_2 and v6_winograd_4: fewer multiplications.  One idea: multiply polynomials by their values at points.

    y = A' [ (G w G') * (B' d B) ] A          (`_winograd.py` has the formulas and where they come from)

A block of tiles goes through three stages while it is in cache: its pixels are evaluated at the points, V (points,
tiles, C); for each point V is multiplied with the kernels' values U (panels, points, C, COLUMNS); and the sums go
back to pixels, with bias and activation on the way.  Nothing of the size of the image is written in between.
"""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._epilogue import Epilogue
from .._host import TILE
from .._jit import helper, kernel
from .._memory import empty
from .._runs import clear_run
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, EVEN, HALF, ROWS, even_fetching, half_fetching, tile_fetching
from .._threads import parallel_for
from .._transpose import transpose
from ._choice import WINOGRAD_NEEDS, winograd_fits
from ._geometry import Geometry, finish, geometry
from ._winograd import TAPS
from .cpu_winograd_simd import (
    from_points_2,
    from_points_4,
    kernel_points_2,
    kernel_points_4,
)
from .cpu_winograd_tiles import evaluate_image, tile_place

LANES = TILE.lanes
GROUP = 2  # panels of filters whose sums are in cache at a time
TILES = 28  # in a block at the least: two register tiles
MOST_TILES = 112
TILES_PER_CHANNEL = 7 / 32  # with many channels the time goes into reading U, which is read once for each block
MIN_BLOCKS = 4  # blocks worth having, so that several threads have work


@helper
def _multiply(v, pitch, v_point, u, g, points, panel, panels, count, sums, s_row, s_point):
    """sums (points, tiles, panels * COLUMNS) = v @ u for the panels from `panel` on.

    The last rows go by the heights that leave the least of a register tile empty: 16 tiles, of an image of 14 x 14
    pixels, by two of 8 rows rather than by 14 and 7.  The values of a panel at all points lie side by side, so that
    they stream from memory and can be fetched ahead.
    """
    for point in range(points):
        for p in range(panels):
            weights = ((panel + p) * points + point) * g.channels * COLUMNS
            to = point * s_point + p * COLUMNS
            r = 0
            while r < count:
                at, left = point * v_point + r * pitch, count - r
                if left <= HALF:
                    half_fetching(v, at, pitch, 1, u, weights, COLUMNS, sums, to + r * s_row, s_row, g.channels, 0)
                    r += HALF
                elif left == EVEN or ROWS < left <= 2 * EVEN:
                    even_fetching(v, at, pitch, 1, u, weights, COLUMNS, sums, to + r * s_row, s_row, g.channels, 0)
                    r += EVEN
                else:
                    tile_fetching(v, at, pitch, 1, u, weights, COLUMNS, sums, to + r * s_row, s_row, g.channels, 0)
                    r += ROWS


def _make_write(from_points: Any, m: int) -> Any:
    """The stage from the points to pixels, for tiles of m x m outputs."""

    @helper
    def write(sums, s_row, s_point, g, grid, first, count, panel, epilogue, free, pixels, y):
        """One panel of filters of the outputs of tiles first .. first + count - 1; `free` is (bias, limits) of none."""
        bias, residual, has_residual, limits = epilogue
        f0, y_row = panel * COLUMNS, g.out_width * g.filters
        filters = min(COLUMNS, g.filters - f0)
        for t in range(count):
            n, i, j = tile_place(first + t, grid[0], grid[1], m)
            to = ((n * g.out_height + i) * g.out_width + j) * g.filters + f0
            rows, columns = min(m, g.out_height - i), min(m, g.out_width - j)
            whole = rows == m and columns == m and filters == COLUMNS and not has_residual
            target, at, row, pixel, offset, o, within = pixels, 0, m * COLUMNS, COLUMNS, free[0], 0, free[1]
            if whole:
                target, at, row, pixel, offset, o, within = y, to, y_row, g.filters, bias, f0, limits
            for f in range(0, COLUMNS, LANES):
                from_points(sums, t * s_row + f, s_point, offset, o + f, target, at + f, row, pixel, within)
            if not whole:
                for r in range(rows):
                    finish(
                        pixels[r * m * COLUMNS :], COLUMNS, columns, y, to + r * y_row, g.filters, filters, bias, f0,
                        residual, has_residual, limits,
                    )  # fmt: skip

    return write


def _make_blocks(m: int, from_points: Any) -> Any:
    """The kernel for tiles of m x m outputs."""
    points, evaluate, write = (m + 2) ** 2, evaluate_image[m], _make_write(from_points, m)

    @kernel
    def winograd_blocks(start, stop, x, u, g, blocking, epilogue, y):
        """Blocks of (range of tiles, range of panels); each writes its own part of y."""
        block_tiles, block_panels = blocking
        size, grid = (g.height, g.width, g.channels), ((g.out_height + m - 1) // m, (g.out_width + m - 1) // m)
        tiles = g.images * grid[0] * grid[1]
        panels = (g.filters + COLUMNS - 1) // COLUMNS
        panel_blocks = (panels + block_panels - 1) // block_panels
        depth = (g.channels + LANES - 1) // LANES * LANES
        pitch = depth + LANES  # else rows a power of two apart would meet in few sets of the cache
        v_point, s_row = (block_tiles + ROWS - 1) // ROWS * ROWS * pitch, GROUP * COLUMNS
        s_point = (block_tiles + ROWS - 1) // ROWS * ROWS * s_row + LANES
        patch = np.empty(points * depth, np.float32)
        v = np.empty(points * v_point, np.float32)
        sums = np.empty(points * s_point, np.float32)
        pixels = np.empty(m * m * COLUMNS, np.float32)
        free = (np.empty(COLUMNS, np.float32), (np.float32(-np.inf), np.float32(np.inf)))
        clear_run(free[0], 0, COLUMNS)
        evaluated = -1
        for block in range(start, stop):
            first = block // panel_blocks * block_tiles
            count = min(block_tiles, tiles - first)
            if first != evaluated:
                evaluate(x, size, (-g.top, -g.left), grid, first, count, 0, depth, patch, v, pitch, v_point)
                evaluated = first
            p1 = block % panel_blocks * block_panels
            for p in range(p1, min(p1 + block_panels, panels), GROUP):
                group = min(GROUP, panels - p)
                _multiply(v, pitch, v_point, u, g, points, p, group, count, sums, s_row, s_point)
                for q in range(group):
                    write(sums[q * COLUMNS :], s_row, s_point, g, grid, first, count, p + q, epilogue, free, pixels, y)

    return winograd_blocks


def _make_evaluate_kernel(m: int, kernel_points: Any) -> Any:
    """The kernel that evaluates weights at the points of tiles of m x m outputs."""

    points = (m + 2) ** 2

    @kernel
    def evaluate_weights(start, stop, w, channels, filters, u):
        """u (panels, points, C, COLUMNS) = the values of w (3,3,C,F) at the points, panels start .. stop - 1."""
        taps = channels * filters
        for panel in range(start, stop):
            for c in range(channels):
                for f in range(0, COLUMNS, LANES):
                    at, to = c * filters + panel * COLUMNS + f, (panel * points * channels + c) * COLUMNS + f
                    kernel_points(w, at, TAPS * taps, taps, u, to, channels * COLUMNS)

    return evaluate_weights


def _make_evaluate_turned(m: int, kernel_points: Any) -> Any:
    """The same for the kernel of the input gradient: taps in reverse, inputs and outputs exchanged."""
    points, tap = (m + 2) ** 2, 4 * LANES * COLUMNS

    @kernel
    def evaluate_turned_weights(start, stop, w, channels, filters, u):
        """u (panels, points, F, COLUMNS) from w (3,3,C,F), panels start .. stop - 1 of its channels."""
        turned = np.zeros(TAPS * TAPS * tap, np.float32)  # (taps, LANES filters, COLUMNS channels)
        for panel in range(start, stop):
            c0 = panel * COLUMNS
            count = min(COLUMNS, channels - c0)
            if count < COLUMNS:
                clear_run(turned, 0, turned.size)
            for f0 in range(0, filters, 4 * LANES):
                some = min(4 * LANES, filters - f0)
                for t in range(TAPS * TAPS):
                    at = ((TAPS * TAPS - 1 - t) * channels + c0) * filters + f0
                    transpose(w, at, filters, count, some, turned, t * tap, COLUMNS)
                for f in range(some):
                    for c in range(0, COLUMNS, LANES):
                        to = (panel * points * filters + f0 + f) * COLUMNS + c
                        kernel_points(turned, f * COLUMNS + c, TAPS * tap, tap, u, to, filters * COLUMNS)

    return evaluate_turned_weights


_blocks = {2: _make_blocks(2, from_points_2), 4: _make_blocks(4, from_points_4)}
_evaluate_weights = {2: _make_evaluate_kernel(2, kernel_points_2), 4: _make_evaluate_kernel(4, kernel_points_4)}
_evaluate_turned = {2: _make_evaluate_turned(2, kernel_points_2), 4: _make_evaluate_turned(4, kernel_points_4)}


def evaluate_kernel(w: np.ndarray, m: int) -> np.ndarray:
    """w (3,3,C,F) at the points, in panels of filters, flat: (panels, points, C, COLUMNS)."""
    if w.shape[:2] != (TAPS, TAPS):
        raise UnsupportedError(WINOGRAD_NEEDS)
    channels, filters = w.shape[2:]
    panels = ceil_div(filters, COLUMNS)
    if filters % COLUMNS:
        w = np.pad(w, ((0, 0), (0, 0), (0, 0), (0, panels * COLUMNS - filters)))
    u = empty(((m + 2) ** 2 * panels * channels * COLUMNS,))
    parallel_for(_evaluate_weights[m], panels, u.size, operand(w).reshape(-1), channels, panels * COLUMNS, u)
    return u


def evaluate_turned(w: np.ndarray, m: int) -> np.ndarray:
    """The kernel of the input gradient at the points, in panels of channels, flat: (panels, points, F, COLUMNS)."""
    channels, filters = w.shape[2:]
    panels = ceil_div(channels, COLUMNS)
    u = empty(((m + 2) ** 2 * panels * filters * COLUMNS,))
    parallel_for(_evaluate_turned[m], panels, u.size, operand(w).reshape(-1), channels, filters, u)
    return u


def winograd_blocking(g: Geometry, m: int) -> tuple[int, int]:
    """(tiles, panels) of a block: a function of the shapes alone."""
    tiles = g.images * ceil_div(g.out_height, m) * ceil_div(g.out_width, m)
    block = pieces(tiles, max(TILES, min(MOST_TILES, int(g.channels * TILES_PER_CHANNEL))))
    splits = ceil_div(MIN_BLOCKS, ceil_div(tiles, block))
    groups = ceil_div(g.panels, GROUP)
    return block, ceil_div(groups, min(groups, splits)) * GROUP


def convolve_values(
    m: int, x: np.ndarray, u: np.ndarray, shape: tuple[int, ...], window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y by tiles of m x m outputs, from the values u of a kernel of the given shape (3,3,C,F)."""
    if not y.size:
        return y
    g = geometry(x.shape, shape, y.shape, window)
    block_tiles, block_panels = winograd_blocking(g, m)
    blocks = ceil_div(g.images * ceil_div(g.out_height, m) * ceil_div(g.out_width, m), block_tiles)
    sizes = block_tiles, block_panels
    arguments = operand(x).reshape(-1), u, g, sizes, epilogue.operands(g.filters), y.reshape(-1)
    parallel_for(_blocks[m], blocks * ceil_div(g.panels, block_panels), g.work, *arguments)
    return epilogue.rest(y)


def _convolve(
    m: int, x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray, u: np.ndarray | None
) -> np.ndarray:
    if not winograd_fits(w.shape[:2], window):
        raise UnsupportedError(WINOGRAD_NEEDS)
    return convolve_values(m, x, evaluate_kernel(w, m) if u is None else u, w.shape, window, epilogue, y)


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
