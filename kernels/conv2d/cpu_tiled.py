"""v3_tiled: no copies of windows at all.  One idea: let the registers slide along the rows of the image.

ROWS neighbouring output pixels x COLUMNS filters are one register tile.  The numbers that one row of the window takes
from the image lie side by side there, KW C of them, and the next output pixel takes the same, sw C further on: so the
image itself is the matrix that im2col would have made, and `runs_finish` walks it with the right strides.  Where a sum
is short, as in the first layers of a network, it walks all rows of the window before a tile leaves its registers.

A block is a few output rows of one image.  Its input rows are copied once, with their zero padding, into memory that
stays in cache; every panel of weights then meets all tiles of the block.
"""

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import helper, kernel
from .._runs import clear_run, copy_run
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, HALF, ROWS, UNIT, half_runs_finish, runs_finish
from .._threads import parallel_for
from ._geometry import Geometry, finish, geometry
from ._panels import pack_panels

DEPTH = 384  # products between two visits of a register tile
TILES = 16  # register tiles in a block, about: a panel of weights is read once for all of them
IMAGE_BYTES = 512 << 10  # input rows of a block, at the most, so that they stay in cache
MIN_BLOCKS = 8  # blocks worth having, so that several threads have work


@helper
def copy_image_rows(x, g, group, n, row, rows, columns, image):
    """image (rows, columns, C) = rows `row`.. of the padded image n, the channels of one group; zero outside.

    Padding may be negative: then the image is cut.
    """
    length = g.channels
    step = g.channels * g.groups
    before, skipped = min(max(g.left, 0), columns), max(-g.left, 0)
    inside = max(0, min(columns - before, g.width - skipped))
    for r in range(rows):
        to = r * columns * length
        if not 0 <= row + r < g.height:
            clear_run(image, to, columns * length)
            continue
        at = ((n * g.height + row + r) * g.width + skipped) * step + group * length
        clear_run(image, to, before * length)
        if g.groups == 1:
            copy_run(x, at, image, to + before * length, inside * length)
        else:
            for j in range(inside):
                copy_run(x, at + j * step, image, to + (before + j) * length, length)
        clear_run(image, to + (before + inside) * length, (columns - before - inside) * length)


@helper
def _one_panel(image, columns, g, packed, panel, blocking, rows, sums, f0, filters, epilogue, y, y_start):
    """y (rows, OW, filters) = the convolution of `rows` output rows with one panel of filters.

    A run is what lies side by side in the image: a row of the window, or a tap of a dilated one.
    """
    _, _, together, depth = blocking
    bias, residual, has_residual, limits = epilogue
    run = g.taps_w if g.dilation_w == 1 else 1
    length, taps, y_row = run * g.channels, g.taps_h * g.taps_w, g.filters * g.groups
    tiles = (g.out_width + ROWS - 1) // ROWS
    jump = g.dilation_h * columns * g.channels
    whole = run * together == taps and depth == length
    for tap in range(0, taps, run * together):
        a, b = tap // g.taps_w * g.dilation_h, tap % g.taps_w * g.dilation_w
        runs = min(together, (taps - tap) // run)
        for k0 in range(0, length, depth):
            k1 = min(k0 + depth, length)
            weights = (panel + tap * g.channels + k0) * COLUMNS
            last = k1 == length and tap + runs * run == taps
            for i in range(rows):
                for t in range(tiles):
                    j = t * ROWS
                    if whole:  # the last tile of a row begins early, and computes some pixels again
                        j = max(0, min(j, g.out_width - (ROWS if g.out_width - j > HALF else HALF)))
                    at = ((i * g.stride_h + a) * columns + j * g.stride_w + b) * g.channels + k0
                    to, left = y_start + (i * g.out_width + j) * y_row, g.out_width - j
                    if filters % UNIT == 0 and (left >= ROWS or left == HALF):
                        c, c_at, c_row, width, ends = y, to, y_row, filters, last
                    else:  # over the edge: finished below
                        c, c_at, c_row, width, ends = sums, (i * tiles + t) * ROWS * COLUMNS, COLUMNS, COLUMNS, False
                    ending = (bias, f0, residual, has_residual, limits)
                    source = (image, at, g.stride_w * g.channels, 1, packed, weights, COLUMNS)
                    product = (c, c_at, c_row, k1 - k0, tap + k0, width, ends)
                    if left > HALF:
                        runs_finish(*(source + product + ending + (runs, jump)))
                    else:
                        half_runs_finish(*(source + product + ending + (runs, jump)))
                    if last and not ends:
                        finish(sums[c_at:], COLUMNS, min(left, ROWS), y, to, y_row, filters, *ending)


@kernel
def _forward_blocks(start, stop, x, packed, g, blocking, epilogue, y):
    """Blocks of (group, range of panels, image, range of rows); each writes its own part of y."""
    block_rows, block_panels, _, _ = blocking
    k = g.taps_h * g.taps_w * g.channels
    panels = (g.filters + COLUMNS - 1) // COLUMNS
    row_blocks = (g.out_height + block_rows - 1) // block_rows
    panel_blocks = (panels + block_panels - 1) // block_panels
    tiles = (g.out_width + ROWS - 1) // ROWS
    columns = (g.out_width - 1) * g.stride_w + (g.taps_w - 1) * g.dilation_w + 1
    most_rows = (block_rows - 1) * g.stride_h + (g.taps_h - 1) * g.dilation_h + 1
    overhang = tiles * ROWS * g.stride_w  # the last tile may read pixels beyond the row; their sums are not used
    image = np.empty((most_rows * columns + overhang) * g.channels, np.float32)
    clear_run(image, 0, image.size)
    sums = np.empty(block_rows * tiles * ROWS * COLUMNS, np.float32)
    for block in range(start, stop):
        i0 = block % row_blocks * block_rows
        n = block // row_blocks % g.images
        rest = block // row_blocks // g.images
        group, p0 = rest // panel_blocks, rest % panel_blocks * block_panels
        rows = min(block_rows, g.out_height - i0)
        image_rows = (rows - 1) * g.stride_h + (g.taps_h - 1) * g.dilation_h + 1
        copy_image_rows(x, g, group, n, i0 * g.stride_h - g.top, image_rows, columns, image)
        for p in range(p0, min(p0 + block_panels, panels)):
            f0 = group * g.filters + p * COLUMNS
            filters = min(COLUMNS, g.filters - p * COLUMNS)
            to = ((n * g.out_height + i0) * g.out_width) * g.filters * g.groups + f0
            panel = (group * panels + p) * k
            _one_panel(image, columns, g, packed, panel, blocking, rows, sums, f0, filters, epilogue, y, to)


def tiled_blocking(g: Geometry) -> tuple[int, int, int, int]:
    """(rows, panels, runs, depth) of a block: a function of the shapes alone, so sums do not depend on the threads."""
    columns = (g.out_width - 1) * g.stride_w + (g.taps_w - 1) * g.dilation_w + 1
    row_bytes = 4 * columns * g.channels * g.stride_h
    rows = max(1, min(TILES // ceil_div(g.out_width, ROWS), IMAGE_BYTES // row_bytes, g.out_height))
    row_blocks = ceil_div(g.out_height, rows) * g.images * g.groups
    panels = pieces(g.panels, ceil_div(g.panels, ceil_div(MIN_BLOCKS, max(1, row_blocks))))
    run = g.taps_w if g.dilation_w == 1 else 1
    length = run * g.channels
    together = pieces(g.taps_h, max(1, DEPTH // length)) if g.dilation_w == 1 else 1
    return pieces(g.out_height, rows), panels, together, pieces(length, DEPTH)


def conv2d_forward_v3_tiled(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray, packed: np.ndarray | None = None
) -> np.ndarray:
    """y = activation(image @ panels + bias + residual), row by row; `packed` are the panels of w, if made before"""
    g = geometry(x.shape, w.shape, y.shape, window)
    rows, panels, together, depth = tiled_blocking(g)
    blocks = ceil_div(g.out_height, rows) * g.images * ceil_div(g.panels, panels) * g.groups
    flat = operand(x).reshape(-1)
    panels_of_w = pack_panels(w, g.groups) if packed is None else packed
    arguments = (flat, panels_of_w, g, (rows, panels, together, depth), epilogue.operands(w.shape[3]), y.reshape(-1))
    parallel_for(_forward_blocks, blocks, g.work, *arguments)
    return epilogue.rest(y)
