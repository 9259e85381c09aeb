"""v4_tiled: one idea: copy slices of both factors into cache, and keep the sums in vector registers.

All three directions are one matrix product c (rows,columns) = a (rows,depth) @ b (depth,columns), with a and b read
by strides, so that a transposed factor is the same array read the other way:

    y = x @ w          dx = dy @ wᵀ          dw = xᵀ @ dy

A block owns a rectangle of c and walks down the depth in order, chunk after chunk, so its sums depend neither on the
threads nor on the number of rows.
(Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.)
"""

from typing import NamedTuple

import numpy as np

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._epilogue import Epilogue
from .._finish import finish
from .._jit import helper, kernel
from .._shapes import ceil_div, pieces
from .._simd import COLUMNS, ROWS, tile_product
from .._threads import parallel_for
from .._transpose import transpose
from ._chunks import chunk_of
from ._storage import Stored

TILES = 8  # register tiles in the rows of a block, at the most
PANELS = 16  # register tiles in its columns, at the most
MIN_BLOCKS = 16  # blocks worth having, so that several threads have work
SLICE = 128  # depth of a slice
TURN = 2  # multiply-adds in the time of copying a number against the order of its array
PADDING = 16  # numbers beyond each row of a slice: else a column of it would lie in a few sets of the cache


class Product(NamedTuple):
    """Sizes of c = a @ b, strides of the arrays in numbers, and sizes of a block."""

    rows: int
    depth: int
    chunk: int
    columns: int
    a_row: int
    a_step: int
    b_step: int
    b_column: int
    c_row: int
    c_column: int
    block_rows: int
    block_columns: int


@helper
def _copy(source, at, row, column, rows, columns, target, pitch):
    """target (rows,pitch) = a rectangle of `source`, one of whose strides is 1 and is read along."""
    if column == 1:
        for r in range(rows):
            numbers, to = source[at + r * row : at + r * row + columns], target[r * pitch : r * pitch + columns]
            for c in range(columns):
                to[c] = numbers[c]
    else:
        transpose(source, at, column, columns, rows, target, 0, pitch)


@helper
def _add(sums, pitch, rows, columns, total):
    """total (rows,pitch) += sums (rows,pitch)"""
    for r in range(rows):
        more, to = sums[r * pitch : r * pitch + columns], total[r * pitch : r * pitch + columns]
        for c in range(columns):
            to[c] += more[c]


@helper
def _write(sums, pitch, rows, columns, c, at, row, column):
    """A finished rectangle of sums to c, one of whose strides is 1 and is written along."""
    if column == 1:
        _copy(sums, 0, pitch, 1, rows, columns, c[at:], row)
    else:
        transpose(sums, 0, pitch, rows, columns, c, at, column)


@kernel
def _product_blocks(start, stop, a, b, g, c):
    """Blocks of (range of columns, range of rows); each writes its own rectangle of c."""
    width = g.block_columns
    pitch = width + PADDING
    row_blocks = (g.rows + g.block_rows - 1) // g.block_rows
    left = np.zeros(g.block_rows * SLICE, np.float32)
    right = np.zeros(SLICE * pitch, np.float32)
    total = np.zeros(g.block_rows * pitch, np.float32)
    more = np.zeros(g.block_rows * pitch if g.chunk < g.depth else 0, np.float32)
    a_row, a_step = (SLICE, 1) if g.a_step == 1 else (1, g.block_rows)
    for block in range(start, stop):
        r0, c0 = block % row_blocks * g.block_rows, block // row_blocks * width
        rows, columns = min(g.block_rows, g.rows - r0), min(width, g.columns - c0)
        for first in range(0, g.depth, g.chunk):
            sums = more if first else total
            for k0 in range(first, min(first + g.chunk, g.depth), SLICE):
                k = min(SLICE, first + g.chunk - k0, g.depth - k0)
                in_rows, in_columns = (r0 * g.a_row + k0, g.a_row, rows, k), (k0 * g.a_step + r0, g.a_step, k, rows)
                at, stride, high, wide = in_rows if g.a_step == 1 else in_columns
                _copy(a, at, stride, 1, high, wide, left, max(a_row, a_step))
                _copy(b, k0 * g.b_step + c0 * g.b_column, g.b_step, g.b_column, k, columns, right, pitch)
                again = k0 - first
                for p in range(0, columns, COLUMNS):
                    for r in range(0, rows, ROWS):
                        at = r * pitch + p
                        tile_product(left, r * a_row, a_row, a_step, right, p, pitch, sums, at, pitch, k, again)
            if first:
                _add(more, pitch, rows, columns, total)
        _write(total, pitch, rows, columns, c, r0 * g.c_row + c0 * g.c_column, g.c_row, g.c_column)


def product(a: np.ndarray, b: np.ndarray, c: np.ndarray, chunk: int | None = None) -> None:
    """c = a @ b, each of them a matrix in rows or a transposed view of one, summed in chunks of the depth.

    Register tiles are wider than high, so one of c and its transpose may be covered by fewer of them.
    """
    (rows, depth), columns = a.shape, b.shape[1]
    if not rows * depth * columns:
        c[:] = 0
        return
    if _cost(b.T, a.T, c.T) < _cost(a, b, c):
        a, b, c, rows, columns = b.T, a.T, c.T, columns, rows
    tiles, panels = pieces(ceil_div(rows, ROWS), TILES), ceil_div(columns, COLUMNS)
    wanted = ceil_div(MIN_BLOCKS, ceil_div(rows, tiles * ROWS))
    block = pieces(panels, max(1, min(PANELS, panels // wanted)))
    flat, strides = zip(*(_flat(matrix) for matrix in (a, b, c)))
    (a_row, a_step), (b_step, b_column), (c_row, c_column) = strides
    g = Product(
        rows, depth, chunk or depth, columns, a_row, a_step, b_step, b_column, c_row, c_column,
        tiles * ROWS, block * COLUMNS,
    )  # fmt: skip
    blocks = ceil_div(rows, g.block_rows) * ceil_div(columns, g.block_columns)
    parallel_for(_product_blocks, blocks, rows * depth * columns, flat[0], flat[1], g, flat[2])


def _cost(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Multiply-adds of all register tiles, and the numbers of b and c that are copied against their order, in those."""
    (rows, depth), columns = a.shape, b.shape[1]
    tiles = ceil_div(rows, ROWS) * ROWS * ceil_div(columns, COLUMNS) * COLUMNS
    turned = _is_turned(b) * depth * columns + _is_turned(c) * rows * columns
    return tiles * depth + TURN * turned


def _is_turned(matrix: np.ndarray) -> bool:
    """Whether a matrix is a transposed view of one in rows."""
    return matrix.flags.f_contiguous and not matrix.flags.c_contiguous


def _flat(matrix: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """(flat array, strides) of a matrix or of a transposed view of one; a copy where it is neither."""
    if _is_turned(matrix):
        return operand(matrix.T).reshape(-1), (1, matrix.shape[0])
    return operand(matrix).reshape(-1), (matrix.shape[1], 1)


def dense_forward_v4_tiled(x: np.ndarray, w: np.ndarray | Stored, epilogue: Epilogue, y: np.ndarray) -> np.ndarray:
    """y = activation(x @ w + bias + residual)"""
    if isinstance(w, Stored):
        raise UnsupportedError("dense: v4_tiled reads weights in float32; v3_stream reads stored ones")
    product(x, w, y, chunk_of(len(w)))
    return finish(y, epilogue)


def dense_backward_input_v4_tiled(dy: np.ndarray, w: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """dx = dy @ w transposed"""
    product(dy, w.T, dx)
    return dx


def dense_backward_weights_v4_tiled(x: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> np.ndarray:
    """dw = x transposed @ dy"""
    product(x.T, dy, dw)
    return dw
