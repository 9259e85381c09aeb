"""The register tile: the inner product of a matrix multiply, which Numba's loops call as an intrinsic.

    tile_product    c (rows,columns)  =  a (rows,k) @ b (k,columns)      or  +=  when `accumulate` is set
    tile_finish     the same, and, when `finish` is set,   c = clip(c + bias + residual, low, high)

A tile of ROWS x COLUMNS sums is held in vector registers while k runs.  Each step loads COLUMNS numbers of b as
VECTORS vectors, broadcasts ROWS numbers of a, and issues ROWS * VECTORS fused multiply-adds.  Numba's loops alone
do not keep such a tile in registers, so the intrinsic writes it as LLVM vector instructions; the tile's size follows
the CPU's registers (Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008, section 6).
What is done to a finished sum is done before it leaves its register: that saves a pass over memory.

Operands are flat arrays with a start and strides in elements, so that a and b may be rows of an image, of packed
patches, or of packed weights.  Each sum runs over k in order: the result does not depend on how tiles are shared out.
"""

from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._emitter import FLAT, NUMBER, Emitter, pointers
from ._host import TILE
from ._jit import JIT_OFF

ROWS = TILE.rows
HALF = TILE.rows // 2
COLUMNS = TILE.vectors * TILE.lanes

VECTOR_AT = [NUMBER(j * TILE.lanes) for j in range(TILE.vectors)]


def _product_numpy(height, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate):
    """What `tile_product` computes, in NumPy: used when the JIT is off.  Returns where in c the tile lies."""
    rows, columns, steps = np.arange(height), np.arange(COLUMNS), np.arange(k)
    left = a[a_start + rows[:, None] * a_row + steps * a_step]
    right = b[b_start + steps[:, None] * b_step + columns]
    where = c_start + rows[:, None] * c_row + columns
    c[where] = left @ right + (c[where] if accumulate else 0)
    return where


def _finish_numpy(height, *arguments):
    """What `tile_finish` computes, in NumPy."""
    *product, finish, bias, bias_start, residual, has_residual, limits = arguments
    where, c = _product_numpy(height, *product), product[7]
    if not finish:
        return
    value = c[where] + bias[bias_start : bias_start + COLUMNS]
    if has_residual:
        value = value + residual[where]
    value = np.where(value < limits[0], limits[0], value)
    c[where] = np.where(value > limits[1], limits[1], value)


class _Tile:
    """Writes the product of one tile, as a function of its own that all calls in a module share.

    a and b are pointers to their first numbers, c to the tile's; strides are in elements.  `finish` asks for the
    epilogue: bias points to COLUMNS numbers, residual to the place that matches c, or nowhere.
    """

    FLOAT = ir.FloatType().as_pointer()
    ARGUMENTS = [FLOAT, NUMBER, NUMBER, FLOAT, NUMBER, FLOAT, NUMBER, NUMBER, NUMBER, NUMBER, FLOAT, FLOAT] + [
        ir.FloatType()
    ] * 2

    def __init__(self, module: Any, rows: int):
        name = f"minicnn.tile.{rows}x{COLUMNS}"
        known = module.globals.get(name)
        self.function = known or ir.Function(module, ir.FunctionType(ir.VoidType(), self.ARGUMENTS), name)
        if known is None:
            self.function.linkage = "internal"
            self.function.attributes.add("noinline")
            self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))
            self.emit = Emitter(self.builder)
            self.rows = [NUMBER(i) for i in range(rows)]
            self._write()

    def _write(self) -> None:
        a, a_row, a_step, b, b_step, c, c_row, k, accumulate, finish, bias, residual, low, high = self.function.args
        # The sums are stack slots here; LLVM turns them into registers.
        self.sums = [[cgutils.alloca_once(self.builder, self.emit.vector) for _ in VECTOR_AT] for _ in self.rows]
        self._start(c, c_row, accumulate)
        self._multiply((a, a_row, a_step), (b, b_step), k)
        with self.builder.if_then(self.builder.icmp_signed("!=", finish, NUMBER(0))):
            self._finish(c_row, bias, residual, low, high)
        for place, slot in self._places(c_row):
            self.emit.store(self.builder.load(slot), c, place)
        self.builder.ret_void()

    def _places(self, c_row: Any) -> list[tuple[Any, Any]]:
        """(offset from the tile's beginning, stack slot) of every vector of sums."""
        offset, add = self.emit.offset, self.builder.add
        return [
            (add(offset(NUMBER(0), (i, c_row)), j), slot)
            for i, slots in zip(self.rows, self.sums)
            for j, slot in zip(VECTOR_AT, slots)
        ]

    def _start(self, c: Any, c_row: Any, accumulate: Any) -> None:
        """The sums begin with what is in c, or with zeros."""
        with self.builder.if_else(self.builder.icmp_signed("!=", accumulate, NUMBER(0))) as (again, fresh):
            with again:
                for place, slot in self._places(c_row):
                    self.builder.store(self.emit.load(c, place), slot)
            with fresh:
                for slot in (slot for slots in self.sums for slot in slots):
                    self.builder.store(ir.Constant(self.emit.vector, [0.0] * TILE.lanes), slot)

    def _multiply(self, a: tuple[Any, Any, Any], b: tuple[Any, Any], k: Any) -> None:
        emit, builder, (a, a_row, a_step), (b, b_step) = self.emit, self.builder, a, b
        with cgutils.for_range(builder, k) as loop:
            b_now, a_now = builder.mul(loop.index, b_step), builder.mul(loop.index, a_step)
            right = [emit.load(b, builder.add(b_now, j)) for j in VECTOR_AT]
            for i, slots in zip(self.rows, self.sums):
                left = emit.broadcast(a, emit.offset(a_now, (i, a_row)))
                for value, slot in zip(right, slots):
                    builder.store(builder.call(emit.fma, [left, value, builder.load(slot)]), slot)

    def _finish(self, c_row: Any, bias: Any, residual: Any, low: Any, high: Any) -> None:
        """Bias, residual and limits, in registers."""
        emit, builder = self.emit, self.builder
        offsets = [emit.load(bias, j) for j in VECTOR_AT]
        for slots in self.sums:
            for offset, slot in zip(offsets, slots):
                builder.store(builder.fadd(builder.load(slot), offset), slot)
        nowhere = ir.Constant(self.FLOAT, None)
        with builder.if_then(builder.icmp_unsigned("!=", residual, nowhere)):
            for place, slot in self._places(c_row):
                builder.store(builder.fadd(builder.load(slot), emit.load(residual, place)), slot)
        limits = emit.splat(low), emit.splat(high)
        for slot in (slot for slots in self.sums for slot in slots):
            builder.store(emit.clip(builder.load(slot), *limits), slot)


INDEX = types.intp
PRODUCT = (FLAT, INDEX, INDEX, INDEX, FLAT, INDEX, INDEX, FLAT, INDEX, INDEX, INDEX, INDEX)
EPILOGUE = (INDEX, FLAT, INDEX, FLAT, types.boolean, types.UniTuple(types.float32, 2))


def _call(context: Any, builder: Any, rows: int, product: list[Any], epilogue: list[Any]) -> Any:
    a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate = product
    a, b, c = pointers(context, builder, [a, b, c])
    a, b, c = builder.gep(a, [a_start]), builder.gep(b, [b_start]), builder.gep(c, [c_start])
    arguments = [a, a_row, a_step, b, b_step, c, c_row, k, accumulate, *epilogue]
    builder.call(_Tile(builder.module, rows).function, arguments)
    return context.get_dummy_value()


def _make_product(rows: int) -> Any:
    """The product of a tile that is so many rows high."""

    @intrinsic
    def product(typing_context, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate):
        def codegen(context, builder, sig, args):
            nowhere = ir.Constant(_Tile.FLOAT, None)
            unused = [NUMBER(0), nowhere, nowhere, ir.FloatType()(0), ir.FloatType()(0)]
            return _call(context, builder, rows, list(args), unused)

        return types.void(*PRODUCT), codegen

    return partial(_product_numpy, rows) if JIT_OFF else product


def _make_finish(rows: int) -> Any:
    """The product of a tile that is so many rows high, finished."""

    @intrinsic
    def product(
        typing_context, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate,
        finish, bias, bias_start, residual, has_residual, limits,
    ):  # fmt: skip
        def codegen(context, builder, sig, args):
            *product, finish, bias, bias_start, residual, has_residual, limits = args
            bias, residual = pointers(context, builder, [bias, residual])
            there = builder.select(has_residual, builder.gep(residual, [product[8]]), ir.Constant(_Tile.FLOAT, None))
            within = [builder.extract_value(limits, i) for i in range(2)]
            epilogue = [finish, builder.gep(bias, [bias_start]), there, *within]
            return _call(context, builder, rows, product, epilogue)

        return types.void(*PRODUCT, *EPILOGUE), codegen

    return partial(_finish_numpy, rows) if JIT_OFF else product


tile_product, tile_finish = _make_product(ROWS), _make_finish(ROWS)
# For the last rows, when they fill no more than half a tile:
half_product, half_finish = _make_product(HALF), _make_finish(HALF)
