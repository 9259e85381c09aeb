"""v4_blocked: implicit im2col.  One idea: block for the cache as well as for the registers.

Output pixels are the rows of a matrix product, as in v2_im2col, but the matrix of patches never exists: a block of
rows is copied for a slice of its K = KH KW C columns, multiplied while it is in cache, and overwritten by the next.
A panel of weights is read once for a whole block of rows, so large kernels on small images, where v3_tiled reads its
weights again and again, run at the speed of the multiply-adds.  A 1x1 convolution with stride 1 reads the image in
place.
"""

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._host import TILE
from .._jit import helper, kernel
from .._runs import clear_run, copy_run, fetch_run
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, HALF, ROWS, UNIT, half_finish, tile_finish
from .._threads import parallel_for
from ._geometry import Geometry, finish, geometry, is_pointwise
from ._panels import pack_panels

LANES = TILE.lanes
DEPTH = 512  # products between two visits of a register tile: so much of its rows fits the first-level cache
SAME_SET = 1024  # numbers between rows of the image that would meet in one set of the first-level cache
TILES = 8  # register tiles in a block of rows, at the most
PANELS = 8  # panels of filters in a block, at the most
READ_ONCE = 2  # panels that are multiplied faster than memory brings the rows of an image, if these are at least
LONG_ROWS = 64  # as long: then they are asked for ahead
MIN_BLOCKS = 16  # blocks worth having, so that several threads have work


@helper
def copy_patches(x, g, group, first, count, k0, k1, patches, pitch):
    """patches (count, pitch) = columns k0..k1-1 of the windows of output pixels first..first+count-1.

    Taps side by side in a row of the window are side by side in the image too, and are copied as one run.
    """
    run = g.taps_w if g.dilation_w == 1 and g.groups == 1 else 1
    length = run * g.channels
    for r in range(count):
        pixel = first + r
        n, rest = pixel // (g.out_height * g.out_width), pixel % (g.out_height * g.out_width)
        i = rest // g.out_width * g.stride_h - g.top
        j = rest % g.out_width * g.stride_w - g.left
        for segment in range(k0 // length, (k1 - 1) // length + 1):
            tap = segment * run
            row = i + tap // g.taps_w * g.dilation_h
            col = j + tap % g.taps_w * g.dilation_w
            low, high = max(k0 - segment * length, 0), min(k1 - segment * length, length)
            inside = 0 <= row < g.height
            left = min(max(low, -col * g.channels), high) if inside else high
            right = max(min(high, (g.width - col) * g.channels), left) if inside else high
            to = r * pitch + segment * length - k0
            at = ((n * g.height + row) * g.width + col) * g.channels * g.groups + group * g.channels
            clear_run(patches, to + low, left - low)
            copy_run(x, at + left, patches, to + left, right - left)
            clear_run(patches, to + right, high - right)


@kernel
def _forward_blocks(start, stop, x, packed, g, blocking, epilogue, y):
    """Blocks of (group, range of panels, range of pixels); each writes its own part of y."""
    block_rows, block_panels, depth = blocking
    bias, residual, has_residual, limits = epilogue
    k = g.taps_h * g.taps_w * g.channels
    pixels = g.images * g.out_height * g.out_width
    panels = (g.filters + COLUMNS - 1) // COLUMNS
    row_blocks = (pixels + block_rows - 1) // block_rows
    panel_blocks = (panels + block_panels - 1) // block_panels
    in_place = is_pointwise(g) and g.channels * g.groups % SAME_SET != 0
    pitch = depth + LANES
    patches = np.empty(block_rows * pitch, np.float32)
    sums = np.empty(block_panels * block_rows * COLUMNS, np.float32)
    y_row = g.filters * g.groups
    for block in range(start, stop):
        first, rest = block % row_blocks * block_rows, block // row_blocks
        group, p0 = rest // panel_blocks, rest % panel_blocks * block_panels
        p1 = min(p0 + block_panels, panels)
        count = min(block_rows, pixels - first)
        for k0 in range(0, k, depth):
            k1 = min(k0 + depth, k)
            if in_place and first + (count + HALF - 1) // HALF * HALF <= pixels:
                a, a_row = x, g.channels * g.groups
                a_start = first * a_row + group * g.channels + k0
                ahead = panels <= READ_ONCE and g.channels >= LONG_ROWS
            else:
                a, a_row, a_start, ahead = patches, pitch, 0, False
                copy_patches(x, g, group, first, count, k0, k1, patches, pitch)
            for p in range(p0, p1):
                panel = ((group * panels + p) * k + k0) * COLUMNS
                f0 = group * g.filters + p * COLUMNS
                filters = min(COLUMNS, g.filters - p * COLUMNS)
                own = (p - p0) * block_rows * COLUMNS
                for r in range(0, count, ROWS):
                    if ahead and p == p0:
                        for q in range(r + ROWS, min(r + 2 * ROWS, pixels - first)):
                            fetch_run(x, a_start + q * a_row, k1 - k0)
                    at, to, left = a_start + r * a_row, (first + r) * y_row + f0, count - r
                    if filters % UNIT == 0 and (left >= ROWS or left == HALF):
                        c, c_at, c_row, width, ends = y, to, y_row, filters, k1 == k
                    else:  # over the edge: finished below
                        c, c_at, c_row, width, ends = sums, own + r * COLUMNS, COLUMNS, COLUMNS, False
                    ending = (bias, f0, residual, has_residual, limits)
                    product = (a, at, a_row, 1, packed, panel, COLUMNS, c, c_at, c_row, k1 - k0, k0, width, ends)
                    if left > HALF:
                        tile_finish(*(product + ending))
                    else:
                        half_finish(*(product + ending))
                    if k1 == k and not ends:
                        finish(sums[c_at:], COLUMNS, min(left, ROWS), y, to, y_row, filters, *ending)


def forward_blocking(g: Geometry) -> tuple[int, int, int]:
    """(rows, panels, depth) of a block: a function of the shapes alone, so that sums do not depend on the threads."""
    tiles = min(TILES, max(1, g.pixels // (ROWS * MIN_BLOCKS)))
    row_blocks = ceil_div(g.pixels, tiles * ROWS) * g.groups
    wanted = ceil_div(MIN_BLOCKS, max(1, row_blocks))
    return tiles * ROWS, pieces(g.panels, max(1, min(PANELS, g.panels // wanted))), pieces(g.depth, DEPTH)


def conv2d_forward_v4_blocked(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray, packed: np.ndarray | None = None
) -> np.ndarray:
    """y = activation(patches @ panels + bias + residual), block by block; `packed`: the panels of w"""
    packed = pack_panels(w, window.groups) if packed is None else packed
    return forward_packed(x, packed, w.shape, window, epilogue, y)


def forward_packed(
    x: np.ndarray, packed: np.ndarray, shape: tuple[int, ...], window: Window, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """The same from the panels of a kernel of the given shape."""
    g = geometry(x.shape, shape, y.shape, window)
    rows, panels, depth = forward_blocking(g)
    blocks = ceil_div(g.pixels, rows) * ceil_div(g.panels, panels) * g.groups
    arguments = operand(x).reshape(-1), packed, g, (rows, panels, depth), epilogue.operands(shape[3]), y.reshape(-1)
    parallel_for(_forward_blocks, blocks, g.work, *arguments)
    return epilogue.rest(y)
