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
from .._jit import jit
from .._shapes import Window, ceil_div, pieces
from .._simd import COLUMNS, ROWS, tile_product
from .._threads import parallel_for
from ._geometry import Geometry, finish, geometry, is_pointwise, pack_panels

DEPTH = 320  # columns of patches copied at a time: a panel of weights of this depth fits the first-level cache
TILES = 8  # register tiles in a block of rows, at the most
PANELS = 8  # panels of filters in a block, at the most
MIN_BLOCKS = 16  # blocks worth having, so that several threads have work


@jit
def copy_patches(x, g, group, first, count, k0, k1, patches):
    """patches (count, k1 - k0) = columns k0..k1-1 of the windows of output pixels first..first+count-1.

    Taps side by side in a row of the window are side by side in the image too, and are copied as one run.
    """
    depth = k1 - k0
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
            to = r * depth + segment * length - k0
            at = ((n * g.height + row) * g.width + col) * g.channels * g.groups + group * g.channels
            patches[to + low : to + left] = 0
            patches[to + left : to + right] = x[at + left : at + right]
            patches[to + right : to + high] = 0


@jit
def _forward_blocks(start, stop, x, packed, g, blocking, epilogue, y):
    """Blocks of (group, range of panels, range of pixels); each writes its own part of y."""
    block_rows, block_panels, depth = blocking
    bias, has_bias, residual, has_residual, code = epilogue
    k = g.taps_h * g.taps_w * g.channels
    pixels = g.images * g.out_height * g.out_width
    panels = (g.filters + COLUMNS - 1) // COLUMNS
    row_blocks = (pixels + block_rows - 1) // block_rows
    panel_blocks = (panels + block_panels - 1) // block_panels
    in_place = is_pointwise(g)
    patches = np.empty(block_rows * depth, np.float32)
    sums = np.empty(block_panels * block_rows * COLUMNS, np.float32)
    y_row = g.filters * g.groups
    for block in range(start, stop):
        first = block % row_blocks * block_rows
        rest = block // row_blocks
        group, p0 = rest // panel_blocks, rest % panel_blocks * block_panels
        p1 = min(p0 + block_panels, panels)
        count = min(block_rows, pixels - first)
        for k0 in range(0, k, depth):
            k1 = min(k0 + depth, k)
            if in_place and first + block_rows <= pixels:
                a, a_row = x, g.channels * g.groups
                a_start = first * a_row + group * g.channels + k0
            else:
                a, a_row, a_start = patches, k1 - k0, 0
                copy_patches(x, g, group, first, count, k0, k1, patches)
            for p in range(p0, p1):
                panel = ((group * panels + p) * k + k0) * COLUMNS
                own = 0 if depth >= k else (p - p0) * block_rows * COLUMNS  # sums that are finished at once share
                for r in range(0, count, ROWS):
                    to, at = own + r * COLUMNS, a_start + r * a_row
                    tile_product(a, at, a_row, 1, packed, panel, COLUMNS, sums, to, COLUMNS, k1 - k0, k0)
                if k1 == k:
                    f0 = group * g.filters + p * COLUMNS
                    filters = min(COLUMNS, g.filters - p * COLUMNS)
                    finish(
                        sums[own:], COLUMNS, count, y, first * y_row + f0, y_row, filters,
                        bias, f0, has_bias, residual, has_residual, code,
                    )  # fmt: skip


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
    g = geometry(x.shape, w.shape, y.shape, window)
    rows, panels, depth = forward_blocking(g)
    blocks = ceil_div(g.pixels, rows) * ceil_div(g.panels, panels) * g.groups
    flat = operand(x).reshape(-1)
    panels_of_w = pack_panels(w, g.groups) if packed is None else packed
    arguments = (flat, panels_of_w, g, (rows, panels, depth), epilogue.operands(), y.reshape(-1))
    parallel_for(_forward_blocks, blocks, g.work, *arguments)
    return epilogue.rest(y)
