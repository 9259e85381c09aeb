"""Blocks of a matrix product on tensor cores, as tensor_tile.cuh makes them: how large, and in how many chunks.

A function of the shapes alone, so that the same shapes give the same bits.
"""

from typing import Any, NamedTuple

from minicnn.errors import UnsupportedError

from .._device import device
from .._shapes import ceil_div
from .._where import device_of
from .blocks import best_tile, chunk_steps
from .file import Macros

AMPERE = (8, 0)
STEP, THREADS = 16, 128  # BLOCK_K, and threads of a block
STAGES = 4  # slices in shared memory, where they are copied there by cp.async
TILES = {(128, 128): 1.0, (64, 64): 1.4}  # by the work that a sum takes
BUILDS = tuple((f"BLOCK={side}", f"VECTOR={width}") for side, _ in TILES for width in (4, 1))
SIXTEEN_BITS = tuple((*build, rounding) for rounding in ("BFLOAT16", "HALF") for build in BUILDS)


class Plan(NamedTuple):
    """Blocks of `side` x `side` sums, numbers that are read at once, and steps of STEP columns in a chunk."""

    side: int
    vector: int
    steps: int

    @property
    def variant(self) -> Macros:
        return f"BLOCK={self.side}", f"VECTOR={self.vector}"

    def blocks(self, rows: int, columns: int) -> int:
        return ceil_div(rows, self.side) * ceil_div(columns, self.side)

    def chunks(self, depth: int) -> int:
        return ceil_div(depth, self.steps * STEP)


def tensor_plan(rows: int, columns: int, depth: int, products: int, vector: int) -> Plan:
    """That of so many products (rows, depth) (depth, columns)."""
    (side, _), blocks = best_tile(rows, columns, products, TILES, ((64, 64),))
    return Plan(side, vector, chunk_steps(ceil_div(depth, STEP), blocks))


def check_tensor_cores(op: str, array: Any) -> None:
    """Raise UnsupportedError where the array's device has none that the rungs are for."""
    if device(device_of(array)).capability < AMPERE:
        raise UnsupportedError(f"{op}: the rungs on tensor cores need a GPU of compute capability 8.0 or more")
