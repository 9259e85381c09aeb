"""v3_tiled, the weight gradient: the register tile again, with the pixels of a row as the summed dimension.

    dw[a, (b,c), f] = sum over n,i,j of x[n, i sh + a dh, j sw + b, c] * dy[n, i, j, f]

A block owns some rows (b,c) of one tap row a, for a range of filters, and walks all pixels in order: every sum is made
by one thread in one order, and no partial results are combined.
"""

import numpy as np

from .._arrays import operand
from .._jit import kernel
from .._memory import empty
from .._runs import copy_run
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, ROWS, tile_product
from .._threads import parallel_for
from ._geometry import Geometry, geometry, is_pointwise
from .cpu_tiled import copy_image_rows

PIXELS = 256  # pixels of a row multiplied at a time, at the most
TILES = 7
PANELS = 2
MIN_BLOCKS = 8


@kernel
def _pad_blocks(start, stop, x, g, rows, columns, padded):
    """Images start..stop-1 with their zero padding: padded (N, rows, columns, C)."""
    size = rows * columns * g.channels
    for n in range(start, stop):
        copy_image_rows(x, g, 0, n, -g.top, rows, columns, padded[n * size :])


@kernel
def _weight_blocks(start, stop, padded, dy, g, sizes, blocking, dw):
    """Blocks of (group, tap row, range of rows of dw, range of panels); each writes its own part of dw."""
    rows, columns, dy_row = sizes
    block_tiles, block_panels = blocking
    run = g.taps_w if g.dilation_w == 1 and g.groups == 1 else 1
    length = run * g.channels
    step = g.channels * g.groups
    panels = (g.filters + COLUMNS - 1) // COLUMNS
    tiles = (length + ROWS - 1) // ROWS
    tile_blocks = (tiles + block_tiles - 1) // block_tiles
    panel_blocks = (panels + block_panels - 1) // block_panels
    taps = g.taps_h * g.taps_w // run
    width = block_panels * COLUMNS
    sums = np.empty(block_tiles * ROWS * width, np.float32)
    for block in range(start, stop):
        t0 = block % tile_blocks * block_tiles
        rest = block // tile_blocks
        p0 = rest % panel_blocks * block_panels
        tap = rest // panel_blocks % taps * run
        group = rest // panel_blocks // taps
        a, b = tap // g.taps_w * g.dilation_h, tap % g.taps_w * g.dilation_w
        t1, p1 = min(t0 + block_tiles, tiles), min(p0 + block_panels, panels)
        sums[:] = 0
        for row in range(g.images * g.out_height):
            n, i = row // g.out_height, row % g.out_height
            at = ((n * rows + i * g.stride_h + a) * columns + b) * step + group * g.channels
            for j in range(0, g.out_width, PIXELS):
                count = min(PIXELS, g.out_width - j)
                pixel = (row * g.out_width + j) * dy_row + group * panels * COLUMNS
                for p in range(p0, p1):
                    for t in range(t0, t1):
                        tile_product(
                            padded, at + j * g.stride_w * step + t * ROWS, 1, g.stride_w * step,
                            dy, pixel + p * COLUMNS, dy_row,
                            sums, (t - t0) * ROWS * width + (p - p0) * COLUMNS, width, count, 1,
                        )  # fmt: skip
        filters = min(width, g.filters - p0 * COLUMNS)
        for r in range(min(block_tiles * ROWS, length - t0 * ROWS)):
            to = (tap * g.channels + t0 * ROWS + r) * g.filters * g.groups + group * g.filters + p0 * COLUMNS
            copy_run(sums, r * width, dw, to, filters)


def weight_blocking(g: Geometry) -> tuple[int, int, int]:
    """(tiles, panels, number of blocks): a function of the shapes alone."""
    run = g.taps_w if g.dilation_w == 1 and g.groups == 1 else 1
    tiles = ceil_div(run * g.channels, ROWS)
    taps = g.taps_h * g.taps_w // run * g.groups
    block_panels = pieces(g.panels, PANELS)
    others = taps * ceil_div(g.panels, block_panels)
    block_tiles = pieces(tiles, min(TILES, ceil_div(tiles, ceil_div(MIN_BLOCKS, others))))
    return block_tiles, block_panels, others * ceil_div(tiles, block_tiles)


def conv2d_backward_weights_v3_tiled(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> np.ndarray:
    """dw = image transposed @ dy, for each tap row"""
    g = geometry(x.shape, dw.shape, dy.shape, window)
    if not g.pixels:
        dw[:] = 0
        return dw
    padded, rows, columns, g = _padded(x, g)
    gradients, dy_row = _whole_panels(dy, g)
    tiles, panels, blocks = weight_blocking(g)
    sizes = (rows, columns, dy_row)
    parallel_for(_weight_blocks, blocks, g.work, padded, gradients, g, sizes, (tiles, panels), dw.reshape(-1))
    return dw


def _padded(x: np.ndarray, g: Geometry) -> tuple[np.ndarray, int, int, Geometry]:
    """(flat padded images, their rows, their columns, geometry); a tile may read ROWS numbers beyond the end."""
    if is_pointwise(g):
        g = g._replace(images=1, height=1, width=g.pixels, out_height=1, out_width=g.pixels)  # one long row
    rows = (g.out_height - 1) * g.stride_h + (g.taps_h - 1) * g.dilation_h + 1
    columns = (g.out_width - 1) * g.stride_w + (g.taps_w - 1) * g.dilation_w + 1
    size = g.images * rows * columns * g.channels * g.groups
    padded = empty((size + ROWS,))
    padded[size:] = 0
    whole = g._replace(channels=g.channels * g.groups, groups=1)
    parallel_for(_pad_blocks, g.images, size, operand(x).reshape(-1), whole, rows, columns, padded)
    return padded, rows, columns, g


def _whole_panels(dy: np.ndarray, g: Geometry) -> tuple[np.ndarray, int]:
    """(flat dy with each group's filters filled up to whole panels, its row length)."""
    row = g.groups * g.panels * COLUMNS
    if g.filters % COLUMNS == 0:
        return operand(dy).reshape(-1), row
    filled = np.zeros((g.pixels, g.groups, g.panels * COLUMNS), np.float32)
    filled[:, :, : g.filters] = dy.reshape(g.pixels, g.groups, g.filters)
    return filled.reshape(-1), row
