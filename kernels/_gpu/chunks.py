"""How arrays (R,C) are cut into chunks of rows on a GPU, where each block takes some columns of a chunk.

Rows of few channels are taken together, as many as a warp can read at once, so that none of its lanes is idle: the
array is seen as rows of `width` numbers, a multiple of C.  How an array is cut depends on its shape alone, and what the
chunks come to is combined in a fixed order, so results have the same bits at every run.  chunks.cuh is the other half.
"""

from typing import Any, NamedTuple

import numpy as np

from .._device import device
from .._shapes import ceil_div
from .._where import device_of
from .file import ints

WARP, ROWS = 32, 8  # threads of a block, along a row and across rows
BLOCKS = 2112  # that a GPU should have to choose from: sixteen for each multiprocessor of an H200
LONGEST = 128  # rows of one thread, at the most: a float32 sum of so few loses two or three bits at the worst


class Cut(NamedTuple):
    """Numbers that a thread reads at once, numbers in a row, rows in a chunk, and chunks."""

    wide: int
    width: int
    rows: int
    chunks: int

    @property
    def launch(self) -> tuple[int, tuple[int, int]]:
        """(blocks, threads of a block)."""
        return self.chunks * ceil_div(self.width, self.wide * WARP), (WARP, ROWS)

    @property
    def variant(self) -> tuple[str]:
        return (f"LANES={self.wide}",)


def cut(x: Any, wide: int, least: int = 1) -> Cut:
    """The cut of an array (...,C) for threads that read `wide` numbers; `least` rows for each thread, at the least."""
    channels = x.shape[-1]
    width = channels * max(1, WARP * wide // channels)
    rows, groups = ceil_div(x.size, width), ceil_div(width, wide * WARP)
    share = min(max(ceil_div(rows * groups, BLOCKS * ROWS), least), LONGEST)
    return Cut(wide, width, share * ROWS, max(1, ceil_div(rows, share * ROWS)))


def arguments(x: Any, parts: Cut) -> tuple[np.number, ...]:
    """(size of x, width, rows of a chunk, channels), as `part_of` in chunks.cuh takes them."""
    return np.int64(x.size), *ints(parts.width, parts.rows, x.shape[-1])


def partial_results(x: Any, parts: Cut, kinds: int = 1) -> Any:
    """A new array (kinds, n, C) of doubles, for what blocks find of every column of their chunk."""
    shape = kinds, parts.chunks * parts.width // x.shape[-1], x.shape[-1]
    return device(device_of(x)).xp.empty(shape, np.float64)


def total_launch(partial: Any) -> tuple[int, tuple[int, int]]:
    """(blocks, threads of a block) of a kernel that combines partial results by `column_total` in chunks.cuh."""
    return ceil_div(partial.shape[-1], WARP), (WARP, WARP)
