"""The axes of operands that broadcast together, as few of them as tell where each number is.

Neighbouring axes along which the same operands are repeated count as one; what is left are at most three axes in all
but strange cases: (images, pixels, channels), where a gate of shape (N,1,1,C) is repeated along the second.
"""

import math
from itertools import groupby
from typing import NamedTuple


class Axis(NamedTuple):
    """The size of an axis, and of each operand whether it is repeated along it."""

    size: int
    repeated: tuple[bool, ...]


def merged_axes(shape: tuple[int, ...], *operands: tuple[int, ...]) -> list[Axis]:
    """The axes of `shape`, to which operands of shapes broadcast, those together that are alike.

    >>> merged_axes((2, 3, 4), (2, 3, 4), (4,))
    [Axis(size=6, repeated=(False, True)), Axis(size=4, repeated=(False, False))]
    """
    padded = [(1,) * (len(shape) - len(operand)) + operand for operand in operands]
    single = [Axis(size, tuple(size != own for own in sizes)) for size, *sizes in zip(shape, *padded) if size != 1]
    grouped = groupby(single, key=lambda axis: axis.repeated)
    return [Axis(math.prod(axis.size for axis in axes), repeated) for repeated, axes in grouped]


def merged_strides(axes: list[Axis], operand: int) -> tuple[int, ...]:
    """How far apart neighbours along each axis lie in an operand, by its number; 0 where it is repeated."""
    strides, step = [], 1
    for size, repeated in reversed(axes):
        strides.append(0 if repeated[operand] else step)
        step *= 1 if repeated[operand] else size
    return tuple(strides[::-1])
