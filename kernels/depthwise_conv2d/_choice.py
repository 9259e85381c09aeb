"""Which rung runs by default: from the shapes, and on a GPU also from where the output begins, which moves no bits."""

from typing import Any

from .._gpu.lanes import lanes
from .._shapes import Window

PIXELS = 7  # of a row that v4_columns sums together: divides 224, 112, 56, 28, 14 and 7
LEAST_CHANNELS = 16  # a whole vector on every CPU: with fewer, v4_columns would be compiled for each width
MOST_TAPS = 7  # columns of the windows of v4_columns
CUDA_COLUMNS = ((3, 1), (3, 2), (5, 1), (5, 2), (7, 1))  # (columns of the windows, stride) of v4_columns on a GPU


def choose(w_shape: tuple[int, ...], window: Window, y_shape: tuple[int, ...]) -> str:
    """The rung for outputs y."""
    wide = y_shape[3] >= LEAST_CHANNELS
    return "v4_columns" if wide and columns_fit(w_shape, window, y_shape) else "v3_vector"


def columns_fit(w_shape: tuple[int, ...], window: Window, y_shape: tuple[int, ...]) -> bool:
    """Whether v4_columns can do it; every tap must meet the image somewhere in a row."""
    taps, padding = w_shape[1], window.padding[1]
    return y_shape[2] >= PIXELS and taps <= MOST_TAPS and max(padding) < taps and window.dilation[1] == 1


def choose_on_cuda(direction: str, *arguments: Any) -> str:
    """The rung for arrays of a GPU."""
    return "v4_columns" if cuda_columns_fit(direction, *arguments) else "v3_vector"


def cuda_columns_fit(direction: str, *arguments: Any) -> bool:
    """Whether v4_columns can do on a GPU what a rung of a direction is called with."""
    window, made = arguments[2], arguments[-1]
    w = made if direction == "backward_weights" else arguments[1]
    strided = direction == "backward_input" and window.strides != (1, 1)
    known = w.shape[3] == 1 and window.dilation[1] == 1 and (w.shape[1], window.strides[1]) in CUDA_COLUMNS
    return known and not strided and lanes(w.shape[2], *([] if w is made else [made])) == 4
