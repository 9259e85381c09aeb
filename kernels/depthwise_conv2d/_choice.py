"""Which rung runs by default: from the shapes alone."""

from .._shapes import Window

PIXELS = 7  # of a row that v4_columns sums together: divides 224, 112, 56, 28, 14 and 7
LEAST_CHANNELS = 16  # a whole vector on every CPU: with fewer, v4_columns would be compiled for each width
MOST_TAPS = 7  # columns of the windows of v4_columns


def choose(w_shape: tuple[int, ...], window: Window, y_shape: tuple[int, ...]) -> str:
    """The rung for outputs y."""
    wide = y_shape[3] >= LEAST_CHANNELS
    return "v4_columns" if wide and columns_fit(w_shape, window, y_shape) else "v3_vector"


def columns_fit(w_shape: tuple[int, ...], window: Window, y_shape: tuple[int, ...]) -> bool:
    """Whether v4_columns can do it; every tap must meet the image somewhere in a row."""
    taps, padding = w_shape[1], window.padding[1]
    return y_shape[2] >= PIXELS and taps <= MOST_TAPS and max(padding) < taps and window.dilation[1] == 1
