"""Operands that broadcast, as kernels with broadcast.cuh take them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .._broadcast import Axis, merged_axes, merged_strides
from .file import contiguous, fours

AXES = 4


class Slab(NamedTuple):
    """Flat parts of operands and of arrays of the full shape, with what `place_in` takes for the operands."""

    operands: list[Any]
    full: list[Any]
    sizes: tuple[np.int64, ...]

    def threads(self, rung: str) -> int:
        """How many threads make all: a vector rung's make four numbers of a row each, the last one of a row fewer."""
        count, _, _, row = map(int, self.sizes[:4])
        return fours((count // max(row, 1), row)) if rung.endswith("vector") else count


def slabs(operands: tuple[Any, ...], full: tuple[Any, ...]) -> Iterator[Slab]:
    """Contiguous arrays `full` of one shape, to which the operands broadcast, cut so that four axes tell all.

    One slab is all, but where operands are repeated along every other of more axes.  Its sizes are (count, n1, n2, n3,
    and the four steps of each operand).
    """
    axes = merged_axes(full[0].shape, *(operand.shape for operand in operands))
    flat = [contiguous(operand).reshape(-1) for operand in operands]
    yield from _slabs(axes, flat, [array.reshape(-1) for array in full])


def _slabs(axes: list[Axis], operands: list[Any], full: list[Any]) -> Iterator[Slab]:
    if len(axes) > AXES:
        (size, repeated), *rest = axes
        for i in range(size):
            parts = [one if again else _part(one, size, i) for one, again in zip(operands, repeated)]
            yield from _slabs(rest, parts, [_part(array, size, i) for array in full])
        return
    axes = [Axis(1, (False,) * len(operands))] * (AXES - len(axes)) + axes
    steps = [step for i in range(len(operands)) for step in merged_strides(axes, i)]
    yield Slab(operands, full, tuple(map(np.int64, (full[0].size, *(size for size, _ in axes[1:]), *steps))))


def _part(array: Any, parts: int, i: int) -> Any:
    """Part i of a flat array that is cut into equal parts."""
    size = array.size // parts
    return array[i * size : (i + 1) * size]
