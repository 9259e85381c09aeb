"""Blocks of a matrix product on a GPU: how large, and in how many chunks its sums are split.

A function of the shapes alone, so that the same shapes give the same bits.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .._shapes import Pair, ceil_div
from .file import Macros, address

STEP = 8  # BLOCK_K of register_tile.cuh
MULTIPROCESSORS = 132  # of an H200: the blocks that all of them need
MOST_CHUNKS_FOR = 2 * MULTIPROCESSORS  # blocks that hide each other's waiting
LEAST_STEPS = 16  # of a chunk: fewer are added faster than their sums are written
# (rows, columns) by the work that a tile takes: a larger one reads less for each product.
TILES = {(128, 128): 1.0, (128, 64): 1.1, (64, 64): 1.25, (128, 32): 1.3}
SINGLE = ((64, 64), (128, 32))  # the tiles that are also built for rows that do not begin on 16 bytes


class Blocking(NamedTuple):
    """Tiles of (rows, columns), numbers that are read at once, and steps of STEP columns in a chunk."""

    rows: int
    columns: int
    vector: int
    steps: int

    @property
    def variant(self) -> Macros:
        return f"BLOCK_M={self.rows}", f"BLOCK_N={self.columns}", f"VECTOR={self.vector}"

    @property
    def threads(self) -> int:
        return self.rows * self.columns // 64

    def blocks(self, rows: int, columns: int) -> int:
        return ceil_div(rows, self.rows) * ceil_div(columns, self.columns)

    def chunks(self, depth: int) -> int:
        return ceil_div(depth, self.steps * STEP)


VARIANTS = tuple(Blocking(*tile, 4, 1).variant for tile in TILES) + tuple(Blocking(*t, 1, 1).variant for t in SINGLE)


def blocking(rows: int, columns: int, depth: int, products: int, vector: int, split: bool = True) -> Blocking:
    """That of so many products a (rows, depth) b (depth, columns); `split` says whether chunks are allowed."""
    tiles = {tile: cost for tile, cost in TILES.items() if vector == 4 or tile in SINGLE}
    tile, blocks = best_tile(rows, columns, products, tiles, SINGLE)
    steps = ceil_div(depth, STEP)
    return Blocking(*tile, vector, chunk_steps(steps, blocks) if split else steps)


def best_tile(
    rows: int, columns: int, products: int, tiles: dict[Pair, float], small: Sequence[Pair]
) -> tuple[Pair, int]:
    """The tile that makes so many products (rows, columns) with the least work, and how many blocks that are.

    `tiles` are the costs of one sum; where none gives all multiprocessors work, a `small` one is taken.
    """
    blocks = {tile: products * ceil_div(rows, tile[0]) * ceil_div(columns, tile[1]) for tile in tiles}
    many = [tile for tile in tiles if blocks[tile] >= MULTIPROCESSORS] or small
    tile = min(many, key=lambda tile: blocks[tile] * math.prod(tile) * tiles[tile])
    return tile, blocks[tile]


def chunk_steps(steps: int, blocks: int) -> int:
    """Steps of a chunk: all where there are blocks enough, else so few that there are."""
    if blocks >= MULTIPROCESSORS:
        return steps
    return ceil_div(steps, min(ceil_div(MOST_CHUNKS_FOR, max(1, blocks)), max(1, steps // LEAST_STEPS)))


def vector(numbers: tuple[int, ...], *arrays: Any) -> int:
    """4 where the lengths of all rows are multiples of four and all arrays begin on 16 bytes, else 1."""
    whole = all(number % 4 == 0 for number in numbers)
    return 4 if whole and all(address(array) % 16 == 0 for array in arrays if array is not None) else 1
