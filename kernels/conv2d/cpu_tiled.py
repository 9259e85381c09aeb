"""v3_tiled: implicit im2col.  One idea: copy windows only as far as the cache, and keep the sums in registers.

Output pixels are the rows of a matrix product, as in v2_im2col, but the matrix of patches never exists: a block of
rows is copied for a slice of its K = KH KW C columns, multiplied while it is in cache, and overwritten by the next.
The product itself is `tile_product`: ROWS pixels x COLUMNS filters of sums in vector registers.

Weights are packed first as panels of COLUMNS filters, (groups, panels, K, COLUMNS), so that the inner loop reads them
in order.  A 1x1 convolution with stride 1 reads the image in place.
"""

from typing import NamedTuple

import numpy as np

from .._epilogue import Epilogue
from .._jit import jit
from .._shapes import Window
from .._simd import COLUMNS, ROWS, tile_product
from .._threads import parallel_for

DEPTH = 320  # columns of patches copied at a time: a panel of weights of this depth fits the first-level cache
TILES = 8  # register tiles in a block of rows, at the most
PANELS = 8  # panels of filters in a block, at the most
MIN_BLOCKS = 16  # blocks worth having, so that several threads have work


class Geometry(NamedTuple):
    """Every size of a convolution, as plain integers for compiled code."""

    images: int
    height: int
    width: int
    channels: int  # of one group
    out_height: int
    out_width: int
    filters: int  # of one group
    taps_h: int
    taps_w: int
    stride_h: int
    stride_w: int
    top: int
    left: int
    dilation_h: int
    dilation_w: int
    groups: int

    @property
    def pixels(self) -> int:
        return self.images * self.out_height * self.out_width

    @property
    def depth(self) -> int:
        """K, the number of products in one sum."""
        return self.taps_h * self.taps_w * self.channels

    @property
    def work(self) -> int:
        """Multiply-adds of the whole convolution."""
        return self.pixels * self.depth * self.filters * self.groups


def geometry(x_shape: tuple, w_shape: tuple, y_shape: tuple, window: Window) -> Geometry:
    """The Geometry of shapes (N,H,W,C), (KH,KW,C/groups,F), (N,OH,OW,F)."""
    (sh, sw), ((top, _), (left, _)), (dh, dw), groups = window
    taps_h, taps_w, channels, filters = w_shape
    return Geometry(
        *x_shape[:3],
        channels,
        *y_shape[1:3],
        filters // groups,
        taps_h,
        taps_w,
        sh,
        sw,
        top,
        left,
        dh,
        dw,
        groups,
    )


def pieces(total: int, most: int) -> int:
    """Size of equal pieces of `total`, none larger than `most`."""
    return -(-total // max(1, -(-total // most)))


def pack_panels(w: np.ndarray, groups: int) -> np.ndarray:
    """w (KH,KW,C/groups,F) as panels (groups, panels, K, COLUMNS), the last one filled up with zeros."""
    k = w.shape[0] * w.shape[1] * w.shape[2]
    per_group = w.shape[3] // groups
    panels = -(-per_group // COLUMNS)
    packed = np.zeros((groups, k, panels * COLUMNS), np.float32)
    packed[:, :, :per_group] = w.reshape(k, groups, per_group).transpose(1, 0, 2)
    return np.ascontiguousarray(packed.reshape(groups, k, panels, COLUMNS).transpose(0, 2, 1, 3)).reshape(-1)


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
            for c in range(low, left):
                patches[to + c] = 0
            for c in range(left, right):
                patches[to + c] = x[at + c]
            for c in range(right, high):
                patches[to + c] = 0


@jit
def _finish(sums, width, count, y, y_start, y_row, columns, bias, bias_start, has_bias, residual, has_residual, code):
    """Write `count` rows of finished sums: y = activation(sums + bias + residual)."""
    for r in range(count):
        at, to = r * width, y_start + r * y_row
        if has_bias:
            for f in range(columns):
                sums[at + f] += bias[bias_start + f]
        if has_residual:
            for f in range(columns):
                sums[at + f] += residual[to + f]
        if code == 0:
            for f in range(columns):
                y[to + f] = sums[at + f]
        else:
            most = np.float32(np.inf) if code == 1 else np.float32(6)
            for f in range(columns):
                value = sums[at + f]
                value = np.float32(0) if value < 0 else value
                y[to + f] = most if value > most else value


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
    in_place = g.taps_h * g.taps_w * g.stride_h * g.stride_w == 1 and g.out_height * g.out_width == g.height * g.width
    width = block_panels * COLUMNS
    patches = np.empty(block_rows * depth, np.float32)
    sums = np.empty(block_rows * width, np.float32)
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
                for r in range(0, count, ROWS):
                    to = r * width + (p - p0) * COLUMNS
                    tile_product(a, a_start + r * a_row, a_row, 1, packed, panel, COLUMNS, sums, to, width, k1 - k0, k0)
        f0 = group * g.filters + p0 * COLUMNS
        columns = min(width, g.filters - p0 * COLUMNS)
        y_row = g.filters * g.groups
        _finish(
            sums,
            width,
            count,
            y,
            first * y_row + f0,
            y_row,
            columns,
            bias,
            f0,
            has_bias,
            residual,
            has_residual,
            code,
        )


def forward_blocking(g: Geometry) -> tuple[int, int, int]:
    """(rows, panels, depth) of a block: a function of the shapes alone, so that sums are the same on any machine
    with this tile, whatever the number of threads."""
    panels = -(-g.filters // COLUMNS)
    tiles = min(TILES, max(1, g.pixels // (ROWS * MIN_BLOCKS)))
    wanted = -(-MIN_BLOCKS // max(1, -(-g.pixels // (tiles * ROWS)) * g.groups))
    return tiles * ROWS, pieces(panels, max(1, min(PANELS, panels // wanted))), pieces(g.depth, DEPTH)


def conv2d_forward_v3_tiled(
    x: np.ndarray, w: np.ndarray, window: Window, epilogue: Epilogue, y: np.ndarray, packed: np.ndarray | None = None
) -> np.ndarray:
    """y = activation(patches @ panels + bias + residual), block by block; `packed` are the panels of w, if made before"""
    g = geometry(x.shape, w.shape, y.shape, window)
    rows, panels, depth = forward_blocking(g)
    blocks = -(-g.pixels // rows) * -(-(-(-g.filters // COLUMNS)) // panels) * g.groups
    flat = np.ascontiguousarray(x).reshape(-1)
    panels_of_w = pack_panels(w, g.groups) if packed is None else packed
    arguments = (flat, panels_of_w, g, (rows, panels, depth), epilogue.operands(), y.reshape(-1))
    parallel_for(_forward_blocks, blocks, g.work, *arguments)
    return epilogue.rest(y)
