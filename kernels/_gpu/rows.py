"""How kernels for a GPU see an array (...,C): as R rows of C numbers."""

from typing import Any

import numpy as np

from .._shapes import ceil_div
from .file import ints

WARP, WARPS = 32, 8  # threads that take a row, and rows of a block
LONG = 1024  # numbers of a row that are too many for one warp
LONGER = 8192  # ... for a block of 256 threads
Launch = tuple[int, tuple[int, int]]  # blocks, and the threads of one


def rows_of(x: Any) -> tuple[np.int64, np.int32]:
    """(R, C) of an array (...,C), as kernels take them."""
    (count,) = ints(x.shape[-1])
    return np.int64(x.size // x.shape[-1]), count


def a_warp_each(x: Any) -> Launch:
    """The launch of a kernel whose warps take a row each of x (...,C)."""
    return ceil_div(x.size // x.shape[-1], WARPS), (WARP, WARPS)


def a_block_each(x: Any) -> Launch:
    """The launch of a kernel whose blocks take a row each of x (...,C)."""
    return x.size // x.shape[-1], (256 if x.shape[-1] <= LONGER else 1024, 1)


def by_length(x: Any) -> str:
    """The rung for x (...,C): a warp for every row that is short, a block for every one that is long."""
    return "v3_blocks" if x.shape[-1] > LONG else "v2_warps"
