"""Sizes of sliding windows: output lengths, and Keras' "same" padding, which may be asymmetric.

Along one axis of length n, a window of k taps with stride s and dilation d covers (k - 1) d + 1 elements:

    outputs = floor((n + before + after - (k - 1) d - 1) / s) + 1
    "same":   outputs = ceil(n / s), before = total // 2, after = total - before
"""

from numbers import Integral
from typing import NamedTuple

from minicnn.errors import ArgumentError, ShapeError

Pair = tuple[int, int]
Padding = str | int | tuple[int, int] | tuple[Pair, Pair]


class Window(NamedTuple):
    """A resolved sliding window over (height, width)."""

    strides: Pair
    padding: tuple[Pair, Pair]
    dilation: Pair
    groups: int = 1


def pair(value: int | tuple[int, ...], name: str, least: int = 1) -> Pair:
    """(height, width) of an argument that may be one number for both."""
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(isinstance(v, Integral) and not isinstance(v, bool) and v >= least for v in both):
        raise ArgumentError(f"{name} must be a whole number or two, of at least {least}; it is {value!r}")
    return int(both[0]), int(both[1])


def ceil_div(a: int, b: int) -> int:
    """The smallest whole number that is at least a / b."""
    return -(-a // b)


def pieces(total: int, most: int) -> int:
    """Size of equal pieces of `total`, none larger than `most`."""
    return ceil_div(total, max(1, ceil_div(total, most)))


def span(taps: int, dilation: int) -> int:
    """Number of input elements that a dilated window covers."""
    return (taps - 1) * dilation + 1


def same_padding(size: int, taps: int, stride: int, dilation: int) -> Pair:
    """(before, after) such that there are ceil(size / stride) outputs; the smaller half comes first."""
    total = max((ceil_div(size, stride) - 1) * stride + span(taps, dilation) - size, 0)
    return total // 2, total - total // 2


def output_size(size: int, taps: int, stride: int, dilation: int, padding: Pair) -> int:
    """Number of window positions along one axis; 0 or less where the window does not fit."""
    return (size + sum(padding) - span(taps, dilation)) // stride + 1


def resolve_window(
    size: Pair, taps: Pair, strides: int | Pair, padding: Padding, dilation: int | Pair = 1, groups: int = 1
) -> Window:
    """The Window of taps (KH,KW) over an image of `size` (H,W).

    `padding` is "valid", "same", one number for all sides, two for (height, width), or
    ((top, bottom), (left, right)).

    Raises
    ------
    ArgumentError
        A stride, dilation, padding or group count that is not allowed.
    """
    steps, gaps = pair(strides, "strides"), pair(dilation, "dilation")
    if padding == "valid":
        sides = ((0, 0), (0, 0))
    elif padding == "same":
        height, width = (same_padding(*axis) for axis in zip(size, taps, steps, gaps))
        sides = (height, width)
    else:
        sides = padding_sides(padding)
    if groups < 1:
        raise ArgumentError(f"groups must be at least 1; it is {groups}")
    return Window(steps, sides, gaps, groups)


def padding_sides(padding: Padding, name: str = "padding") -> tuple[Pair, Pair]:
    """((top, bottom), (left, right)) of an explicit padding."""
    if isinstance(padding, str):
        raise ArgumentError(f"{name} must be 'valid', 'same' or numbers; it is {padding!r}")
    if isinstance(padding, Integral) and not isinstance(padding, bool):
        padding = (int(padding), int(padding))
    if not isinstance(padding, (tuple, list)) or len(padding) != 2:
        raise ArgumentError(f"{name} must be one number, two, or two pairs; it is {padding!r}")
    top, left = (pair(side, name, least=0) for side in padding)
    return top, left


def window_outputs(size: Pair, taps: Pair, window: Window, what: str) -> Pair:
    """(OH,OW) of a window over an image of `size`.

    Raises
    ------
    ShapeError
        The window is larger than the padded image.
    """
    axes = zip(size, taps, window.strides, window.dilation, window.padding)
    height, width = (output_size(*axis) for axis in axes)
    if height < 1 or width < 1:
        raise ShapeError(
            f"{what}: a window of {taps} with dilation {window.dilation} does not fit an image of {size} "
            f"padded by {window.padding}; use padding='same' or a larger image"
        )
    return height, width
