"""Which input each tap of a sliding window meets: index arithmetic that the windowed operations share.

    forward     output i meets, through tap a, input   i s - before + a d
    backward    input h met, through tap a, output     (h + before - a d) / s,  where that is a whole number

`shifted_views` serves NumPy: one tap at a time, all outputs together.  `AxisPlan` serves compiled loops: one
output at a time, with the run of taps that fall inside the image, so that loops need no test of bounds.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ._shapes import Pair, Window

Index = tuple[slice, slice, slice]


def shifted_views(size: Pair, outputs: Pair, taps: Pair, window: Window) -> Iterator[tuple[Pair, Index, Index]]:
    """For each tap (a,b) in scan order: (tap, index into y, index into x) of all pairs that meet through it."""
    axes = zip(size, outputs, taps, window.strides, window.padding, window.dilation)
    rows, columns = ([_shifted(a, *axis) for a in range(axis[2])] for axis in axes)
    for a, (y_rows, x_rows) in enumerate(rows):
        for b, (y_columns, x_columns) in enumerate(columns):
            yield (a, b), (slice(None), y_rows, y_columns), (slice(None), x_rows, x_columns)


def _shifted(tap: int, size: int, outputs: int, taps: int, stride: int, padding: Pair, dilation: int):
    """(slice of outputs, slice of inputs) that meet through one tap along one axis."""
    offset = tap * dilation - padding[0]
    first = max(0, -(offset // stride))
    count = max(0, min(outputs, (size - 1 - offset) // stride + 1) - first)
    start = first * stride + offset if count else 0
    return slice(first, first + count), slice(start, start + count * stride, stride)


class AxisPlan(NamedTuple):
    """Along one axis, for each output: its first tap, its number of taps, and the input that the first tap meets.

    The next tap is `tap_step` further and meets the input `input_step` further.  `run` counts the outputs from this one
    on, `classes` apart, that have the same taps and inputs that are `advance` apart.
    """

    first_tap: np.ndarray
    taps: np.ndarray
    start: np.ndarray
    run: np.ndarray
    tap_step: int
    input_step: int
    classes: int
    advance: int


@lru_cache(maxsize=4096)
def forward_axis(size: int, outputs: int, taps: int, stride: int, before: int, dilation: int = 1) -> AxisPlan:
    """The plan of a window that slides over `size` inputs."""
    inputs = np.arange(outputs)[:, None] * stride - before + np.arange(taps) * dilation
    return _plan(inputs, (inputs >= 0) & (inputs < size), 1, dilation, 1, stride)


@lru_cache(maxsize=4096)
def backward_axis(size: int, outputs: int, taps: int, stride: int, before: int, dilation: int = 1) -> AxisPlan:
    """The plan of the gradient: for each of `size` inputs, the outputs of the window that saw it."""
    shifted = np.arange(size)[:, None] + before - np.arange(taps) * dilation
    met = shifted // stride
    tap_step = stride // math.gcd(stride, dilation)
    valid = (shifted % stride == 0) & (met >= 0) & (met < outputs)
    return _plan(met, valid, tap_step, -tap_step * dilation // stride, stride, 1)


def _plan(
    inputs: np.ndarray, valid: np.ndarray, tap_step: int, input_step: int, classes: int, advance: int
) -> AxisPlan:
    """The plan where output o meets inputs[o, a] through tap a if valid[o, a]."""
    first, taps = valid.argmax(axis=1), valid.sum(axis=1)
    start = inputs[np.arange(len(inputs)), first]
    run = np.ones(len(inputs), np.int64)
    for o in range(len(inputs) - classes - 1, -1, -1):
        following = first[o + classes], taps[o + classes], start[o + classes]
        if following == (first[o], taps[o], start[o] + advance):
            run[o] += run[o + classes]
    arrays = [np.ascontiguousarray(array, np.int64) for array in (first, taps, start, run)]
    for array in arrays:
        array.flags.writeable = False  # plans are shared by all calls of one shape
    return AxisPlan(arrays[0], arrays[1], arrays[2], arrays[3], tap_step, input_step, classes, advance)


def axis_plans(make, size: Pair, outputs: Pair, taps: Pair, window: Window) -> tuple[AxisPlan, AxisPlan]:
    """The plans, made by `forward_axis` or `backward_axis`, of rows and of columns."""
    before = window.padding[0][0], window.padding[1][0]
    rows, columns = zip(size, outputs, taps, window.strides, before, window.dilation)
    return make(*rows), make(*columns)
