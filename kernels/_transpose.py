"""Rectangles turned around, by squares in vector registers: LANES rows of LANES numbers become columns.

Element by element, either the reads or the writes of a transposition leap from row to row.  Here both are whole
vectors: bit by bit, the number of a row is exchanged with the number of a lane, by one shuffle of two registers each.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ._emitter import FLAT, NUMBER, Emitter, pointers
from ._host import TILE
from ._jit import JIT_OFF, helper

LANES = TILE.lanes


def _transpose_numpy(source: np.ndarray, at: int, row: int, target: np.ndarray, to: int, target_row: int) -> None:
    rows, columns = np.arange(LANES)[:, None], np.arange(LANES)
    target[to + columns[:, None] * target_row + rows.T] = source[at + rows * row + columns].T


@intrinsic
def _transpose_square(typing_context, source, at, row, target, to, target_row):
    """target[to + j target_row + i] = source[at + i row + j] for i, j < LANES; the arrays are flat."""

    def codegen(context, builder, signature, args):
        source, at, row, target, to, target_row = args
        source, target = pointers(context, builder, [source, target])
        emit = Emitter(builder)
        vectors = [emit.load(source, emit.offset(at, (NUMBER(i), row))) for i in range(LANES)]
        for i, vector in enumerate(_exchanged(builder, vectors)):
            emit.store(vector, target, emit.offset(to, (NUMBER(i), target_row)))
        return context.get_dummy_value()

    return types.void(FLAT, types.intp, types.intp, FLAT, types.intp, types.intp), codegen


def _exchanged(builder: Any, vectors: list[Any]) -> list[Any]:
    """The vectors with numbers of rows and lanes exchanged."""
    bit, mask_type = 1, ir.VectorType(ir.IntType(32), LANES)
    while bit < LANES:
        # Lanes of the second vector are numbered from LANES on.
        low = [j if not j & bit else LANES + j - bit for j in range(LANES)]
        high = [j + bit if not j & bit else LANES + j for j in range(LANES)]
        for i in (i for i in range(LANES) if not i & bit):
            pair = vectors[i], vectors[i + bit]
            vectors[i], vectors[i + bit] = (
                builder.shuffle_vector(*pair, ir.Constant(mask_type, mask)) for mask in (low, high)
            )
        bit *= 2
    return vectors


transpose_square: Any = _transpose_numpy if JIT_OFF else _transpose_square


@helper
def transpose(source, at, row, rows, columns, target, to, target_row):
    """target[to + j target_row + i] = source[at + i row + j] for i < rows, j < columns; the arrays are flat."""
    whole_rows, whole_columns = rows // LANES * LANES, columns // LANES * LANES
    for i in range(0, whole_rows, LANES):
        for j in range(0, whole_columns, LANES):
            transpose_square(source, at + i * row + j, row, target, to + j * target_row + i, target_row)
    for i in range(rows):
        for j in range(whole_columns if i < whole_rows else 0, columns):
            target[to + j * target_row + i] = source[at + i * row + j]
