"""v3_tiled, the weight gradient: the tile product with pixels as the summed dimension.

    dw (K,F) = patches transposed (K, N OH OW) @ dy (N OH OW, F)

A block owns ROWS * TILES rows of dw for a range of filters and walks all pixels in order, PIXELS at a time: so every
sum is made by one thread in one order, and no partial results are combined.
"""

import numpy as np

from .._jit import jit
from .._shapes import Window
from .._simd import COLUMNS, ROWS, tile_product
from .._threads import parallel_for
from .cpu_tiled import Geometry, copy_patches, geometry, pieces

PIXELS = 256  # pixels multiplied at a time: their patches and gradients stay in cache
TILES = 4
PANELS = 4
MIN_BLOCKS = 8


@jit
def _copy_rows(dy, row, first, count, column, columns, width, to):
    """to (count, width) = `columns` columns of dy from `column` on, the rest zero."""
    for r in range(count):
        at = (first + r) * row + column
        for f in range(columns):
            to[r * width + f] = dy[at + f]
        for f in range(columns, width):
            to[r * width + f] = 0


@jit
def _weight_blocks(start, stop, x, dy, g, blocking, dw):
    """Blocks of (group, range of filters, range of K); each writes its own part of dw."""
    block_rows, block_panels = blocking
    k = g.taps_h * g.taps_w * g.channels
    pixels = g.images * g.out_height * g.out_width
    panels = (g.filters + COLUMNS - 1) // COLUMNS
    row_blocks = (k + block_rows - 1) // block_rows
    panel_blocks = (panels + block_panels - 1) // block_panels
    width = block_panels * COLUMNS
    row = g.filters * g.groups
    patches = np.zeros(PIXELS * block_rows + ROWS, np.float32)
    gradients = np.empty(PIXELS * width, np.float32)
    sums = np.empty(block_rows * width, np.float32)
    for block in range(start, stop):
        k0 = block % row_blocks * block_rows
        rest = block // row_blocks
        group, p0 = rest // panel_blocks, rest % panel_blocks * block_panels
        p1 = min(p0 + block_panels, panels)
        rows = min(block_rows, k - k0)
        columns = min(width, g.filters - p0 * COLUMNS)
        f0 = group * g.filters + p0 * COLUMNS
        sums[:] = 0
        for first in range(0, pixels, PIXELS):
            count = min(PIXELS, pixels - first)
            copy_patches(x, g, group, first, count, k0, k0 + rows, patches)
            _copy_rows(dy, row, first, count, f0, columns, width, gradients)
            for p in range(p1 - p0):
                for r in range(0, rows, ROWS):
                    to = r * width + p * COLUMNS
                    tile_product(patches, r, 1, rows, gradients, p * COLUMNS, width, sums, to, width, count, 1)
        for r in range(rows):
            for f in range(columns):
                dw[(k0 + r) * row + f0 + f] = sums[r * width + f]


def weight_blocking(g: Geometry) -> tuple[int, int]:
    """(rows, panels) of a block: a function of the shapes alone."""
    panels = -(-g.filters // COLUMNS)
    tiles = min(TILES, max(1, g.depth // (ROWS * MIN_BLOCKS)))
    return tiles * ROWS, pieces(panels, PANELS)


def conv2d_backward_weights_v3_tiled(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> np.ndarray:
    """dw = patches transposed @ dy, block by block"""
    g = geometry(x.shape, dw.shape, dy.shape, window)
    rows, panels = weight_blocking(g)
    blocks = -(-g.depth // rows) * -(-(-(-g.filters // COLUMNS)) // panels) * g.groups
    arrays = [np.ascontiguousarray(array).reshape(-1) for array in (x, dy)]
    parallel_for(_weight_blocks, blocks, g.work, *arrays, g, (rows, panels), dw.reshape(-1))
    return dw
