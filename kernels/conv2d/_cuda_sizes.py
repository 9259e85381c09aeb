"""The sizes of a convolution as kernels for a GPU take them."""

import math

import numpy as np

from .._gpu.file import ints
from .._shapes import Window


def cuda_sizes(x_shape: tuple, w_shape: tuple, y_shape: tuple, window: Window) -> tuple[np.int32, ...]:
    """(H, W, C/groups, OH, OW, F/groups, taps, steps, top, left, gaps, groups) of x, w (KH,KW,C/groups,F) and y.

    Raises
    ------
    ArgumentError
        One image, or w, has more numbers than the kernels count to.
    """
    ints(*map(math.prod, (x_shape[1:], w_shape, y_shape[1:])))
    steps, ((top, _), (left, _)), gaps, groups = window
    taps_h, taps_w, channels, filters = w_shape
    return ints(
        *x_shape[1:3], channels, *y_shape[1:3], filters // groups, taps_h, taps_w, *steps, top, left, *gaps, groups
    )
