"""What the compiled convolutions share: sizes as plain integers, and the end of a sum."""

from typing import NamedTuple

from numba.extending import register_jitable

from .._jit import helper
from .._shapes import Window, ceil_div
from .._simd import COLUMNS


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
    def panels(self) -> int:
        """Panels of COLUMNS filters in one group."""
        return ceil_div(self.filters, COLUMNS)

    @property
    def work(self) -> int:
        """Multiply-adds of the whole convolution."""
        return self.pixels * self.depth * self.filters * self.groups


def geometry(x_shape: tuple, w_shape: tuple, y_shape: tuple, window: Window) -> Geometry:
    """The Geometry of shapes (N,H,W,C), (KH,KW,C/groups,F), (N,OH,OW,F)."""
    (sh, sw), ((top, _), (left, _)), (dh, dw), groups = window
    taps_h, taps_w, channels, filters = w_shape
    sizes = (*x_shape[:3], channels, *y_shape[1:3], filters // groups)
    return Geometry._make((*sizes, taps_h, taps_w, sh, sw, top, left, dh, dw, groups))


@register_jitable
def is_pointwise(g):
    """Whether output pixels are input pixels: a 1x1 window with stride 1 that is not shifted."""
    same_size = g.height == g.out_height and g.width == g.out_width
    return g.taps_h * g.taps_w * g.stride_h * g.stride_w == 1 and g.top == 0 and g.left == 0 and same_size


@helper
def finish(sums, width, count, y, y_start, y_row, columns, bias, bias_start, residual, has_residual, limits):
    """Write `count` rows of sums: y = clip((sums + bias) + residual, low, high); for tiles that hang over an edge.

    The order of the additions is that of `tile_finish`, so that a sum has the same bits at an edge as elsewhere.
    Rows are cut out first: an index that is known not to be negative lets the compiler use vectors.
    """
    low, high = limits
    offset = bias[bias_start : bias_start + columns]
    for r in range(count):
        row = sums[r * width : r * width + columns]
        to = y_start + r * y_row
        result = y[to : to + columns]
        for f in range(columns):
            row[f] += offset[f]
        if has_residual:
            other = residual[to : to + columns]
            for f in range(columns):
                row[f] += other[f]
        for f in range(columns):
            value = row[f]
            value = low if value < low else value
            result[f] = high if value > high else value
