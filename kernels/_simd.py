"""The register tile: the inner product of a matrix multiply, which Numba's loops call as an intrinsic.

    tile_product    c (rows,columns)  =  a (rows,k) @ b (k,columns)      or  +=  when `accumulate` is set
    tile_finish     the same, and, when `finish` is set,   c = clip(c + bias + residual, low, high);
                    for the first `width` columns alone, a multiple of UNIT
    runs_finish     the same for a (rows, runs k) in so many runs of k numbers, which are `jump` apart
    tile_fetching   tile_product for b that comes from memory: what lies AHEAD rows of b further on is fetched meanwhile

A tile of ROWS x COLUMNS sums is held in vector registers while k runs.  Each step loads COLUMNS numbers of b as
VECTORS vectors, broadcasts ROWS numbers of a, and issues ROWS * VECTORS fused multiply-adds.  Numba's loops alone
do not keep such a tile in registers, so the intrinsic writes it as LLVM vector instructions; the tile's size follows
the CPU's registers (Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008, section 6).
What is done to a finished sum is done before it leaves its register: that saves a pass over memory.  Meanwhile the
places where sums will go, and those of the residual, are fetched into cache.

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
EVEN = HALF + 1
COLUMNS = TILE.vectors * TILE.lanes
UNIT = min(8, TILE.lanes)  # columns that a narrow tile may have, or a multiple of so many; 8 suit most layers
AHEAD = 512  # rows: 64 kB with AVX-512, far enough for memory and few enough for the second-level cache
WIDTHS = range(UNIT, COLUMNS + 1, UNIT)


def _product_numpy(
    height, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate,
    width=COLUMNS, runs=1, jump=0,
):  # fmt: skip
    """What `tile_product` computes, in NumPy: used when the JIT is off.  Returns where in c the tile lies."""
    rows, columns, steps = np.arange(height), np.arange(width), np.arange(runs * k)
    left = a[a_start + rows[:, None] * a_row + steps // k * jump + steps % k * a_step]
    right = b[b_start + steps[:, None] * b_step + columns]
    where = c_start + rows[:, None] * c_row + columns
    c[where] = left @ right + (c[where] if accumulate else 0)
    return where


def _finish_numpy(height, *arguments):
    """What `tile_finish` and `runs_finish` compute, in NumPy."""
    product, (finish, bias, bias_start, residual, has_residual, limits, *runs) = arguments[:13], arguments[13:]
    where, c, width = _product_numpy(height, *product, *runs), product[7], product[12]
    if not finish:
        return
    value = c[where] + bias[bias_start : bias_start + width]
    if has_residual:
        value = value + residual[where]
    value = np.where(value < limits[0], limits[0], value)
    c[where] = np.where(value > limits[1], limits[1], value)


class _Tile:
    """Writes the product of one tile, as a function of its own that all calls in a module share.

    a and b are pointers to their first numbers, c to the tile's; strides are in elements.  `finish` asks for the
    epilogue: bias points to COLUMNS numbers, residual to the place that matches c, or nowhere.  With `in_runs` the
    number of runs and the jump from one to the next come last.  `fetching` asks for b in advance.
    """

    FLOAT = ir.FloatType().as_pointer()
    ARGUMENTS = [FLOAT, NUMBER, NUMBER, FLOAT, NUMBER, FLOAT, NUMBER, NUMBER, NUMBER, NUMBER, FLOAT, FLOAT] + [
        ir.FloatType()
    ] * 2

    def __init__(self, module: Any, rows: int, columns: int, in_runs: bool = False, fetching: bool = False):
        name = f"minicnn.tile.{rows}x{columns}{'.runs' * in_runs}{'.fetching' * fetching}"
        known = module.globals.get(name)
        kind = ir.FunctionType(ir.VoidType(), self.ARGUMENTS + [NUMBER, NUMBER] * in_runs)
        self.function = known or ir.Function(module, kind, name)
        if known is None:
            self.function.linkage = "internal"
            self.function.attributes.add("noinline")
            self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))
            self.rows, self.fetching = [NUMBER(i) for i in range(rows)], fetching
            lanes = [min(TILE.lanes, columns - at) for at in range(0, columns, TILE.lanes)]
            self.vectors = [(NUMBER(j * TILE.lanes), Emitter(self.builder, n)) for j, n in enumerate(lanes)]
            self._write()

    def _write(self) -> None:
        a, a_row, a_step, b, b_step, c, c_row, k, accumulate, *epilogue = self.function.args
        finish, bias, residual, low, high, *runs = epilogue
        # The sums are stack slots here; LLVM turns them into registers.
        self.sums = [[cgutils.alloca_once(self.builder, emit.vector) for _, emit in self.vectors] for _ in self.rows]
        self._prefetch(c, c_row, finish, residual)
        self._start(c, c_row, accumulate)
        if runs:
            self._multiply_runs((a, a_row, a_step), (b, b_step), k, *runs)
        else:
            self._multiply((a, a_row, a_step), (b, b_step), k)
        with self.builder.if_then(self.builder.icmp_signed("!=", finish, NUMBER(0))):
            self._finish(c_row, bias, residual, low, high)
        for emit, place, slot in self._places(c_row):
            emit.store(self.builder.load(slot), c, place)
        self.builder.ret_void()

    def _places(self, c_row: Any) -> list[tuple[Emitter, Any, Any]]:
        """(emitter, offset from the tile's beginning, stack slot) of every vector of sums."""
        add, mul = self.builder.add, self.builder.mul
        return [
            (emit, add(mul(i, c_row), j), slot)
            for i, slots in zip(self.rows, self.sums)
            for (j, emit), slot in zip(self.vectors, slots)
        ]

    def _prefetch(self, c: Any, c_row: Any, finish: Any, residual: Any) -> None:
        builder, nowhere = self.builder, ir.Constant(self.FLOAT, None)
        with builder.if_then(builder.icmp_signed("!=", finish, NUMBER(0))):
            for emit, place, _ in self._places(c_row):
                emit.prefetch(c, place, writes=True)
            with builder.if_then(builder.icmp_unsigned("!=", residual, nowhere)):
                for emit, place, _ in self._places(c_row):
                    emit.prefetch(residual, place, writes=False)

    def _start(self, c: Any, c_row: Any, accumulate: Any) -> None:
        """The sums begin with what is in c, or with zeros."""
        with self.builder.if_else(self.builder.icmp_signed("!=", accumulate, NUMBER(0))) as (again, fresh):
            with again:
                for emit, place, slot in self._places(c_row):
                    self.builder.store(emit.load(c, place), slot)
            with fresh:
                for slots in self.sums:
                    for (_, emit), slot in zip(self.vectors, slots):
                        self.builder.store(ir.Constant(emit.vector, [0.0] * emit.vector.count), slot)

    def _multiply_runs(self, a: tuple[Any, Any, Any], b: tuple[Any, Any], k: Any, runs: Any, jump: Any) -> None:
        builder = self.builder
        with cgutils.for_range(builder, runs) as loop:
            a_run = builder.gep(a[0], [builder.mul(loop.index, jump)])
            b_run = builder.gep(b[0], [builder.mul(builder.mul(loop.index, k), b[1])])
            self._multiply((a_run, *a[1:]), (b_run, b[1]), k)

    def _multiply(self, a: tuple[Any, Any, Any], b: tuple[Any, Any], k: Any) -> None:
        builder, (a, a_row, a_step), (b, b_step) = self.builder, a, b
        with cgutils.for_range(builder, k) as loop:
            b_now, a_now = builder.mul(loop.index, b_step), builder.mul(loop.index, a_step)
            if self.fetching:
                later = builder.mul(builder.add(loop.index, NUMBER(AHEAD)), b_step)
                for j, emit in self.vectors:
                    emit.prefetch(b, builder.add(later, j), writes=False)
            right = [emit.load(b, builder.add(b_now, j)) for j, emit in self.vectors]
            for i, slots in zip(self.rows, self.sums):
                number = builder.load(builder.gep(a, [builder.add(a_now, builder.mul(i, a_row))]))
                for (_, emit), value, slot in zip(self.vectors, right, slots):
                    builder.store(builder.call(emit.fma, [emit.splat(number), value, builder.load(slot)]), slot)

    def _finish(self, c_row: Any, bias: Any, residual: Any, low: Any, high: Any) -> None:
        """Bias, residual and limits, in registers."""
        builder = self.builder
        offsets = [emit.load(bias, j) for j, emit in self.vectors]
        for slots in self.sums:
            for offset, slot in zip(offsets, slots):
                builder.store(builder.fadd(builder.load(slot), offset), slot)
        nowhere = ir.Constant(self.FLOAT, None)
        with builder.if_then(builder.icmp_unsigned("!=", residual, nowhere)):
            for emit, place, slot in self._places(c_row):
                builder.store(builder.fadd(builder.load(slot), emit.load(residual, place)), slot)
        for column, (_, emit) in enumerate(self.vectors):
            limits = emit.splat(low), emit.splat(high)
            for slots in self.sums:
                builder.store(emit.clip(builder.load(slots[column]), *limits), slots[column])


INDEX = types.intp
PRODUCT = (FLAT, INDEX, INDEX, INDEX, FLAT, INDEX, INDEX, FLAT, INDEX, INDEX, INDEX, INDEX)
EPILOGUE = (INDEX, INDEX, FLAT, INDEX, FLAT, types.boolean, types.UniTuple(types.float32, 2))


def _call(context: Any, builder: Any, function: Any, product: list[Any], epilogue: list[Any]) -> Any:
    a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate = product
    a, b, c = pointers(context, builder, [a, b, c])
    a, b, c = builder.gep(a, [a_start]), builder.gep(b, [b_start]), builder.gep(c, [c_start])
    builder.call(function, [a, a_row, a_step, b, b_step, c, c_row, k, accumulate, *epilogue])
    return context.get_dummy_value()


def _make_product(rows: int, fetching: bool = False) -> Any:
    """The product of a tile that is so many rows high."""

    @intrinsic
    def product(typing_context, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate):
        def codegen(context, builder, sig, args):
            nowhere = ir.Constant(_Tile.FLOAT, None)
            unused = [NUMBER(0), nowhere, nowhere, ir.FloatType()(0), ir.FloatType()(0)]
            tile = _Tile(builder.module, rows, COLUMNS, fetching=fetching)
            return _call(context, builder, tile.function, list(args), unused)

        return types.void(*PRODUCT), codegen

    return partial(_product_numpy, rows) if JIT_OFF else product


def _write_finish(rows: int, in_runs: bool = False) -> Any:
    """The code that calls the finished product of a tile that is so many rows high."""

    def codegen(context, builder, sig, args):
        product, (width, finish, bias, bias_start, residual, has_residual, limits, *runs) = args[:12], args[12:]
        bias, residual = pointers(context, builder, [bias, residual])
        there = builder.select(has_residual, builder.gep(residual, [product[8]]), ir.Constant(_Tile.FLOAT, None))
        within = [builder.extract_value(limits, i) for i in range(2)]
        function, *narrow = [_Tile(builder.module, rows, columns, in_runs).function for columns in reversed(WIDTHS)]
        for columns, other in zip(reversed(WIDTHS[:-1]), narrow):
            function = builder.select(builder.icmp_signed("==", width, NUMBER(columns)), other, function)
        return _call(
            context, builder, function, product, [finish, builder.gep(bias, [bias_start]), there, *within, *runs]
        )

    return codegen


def _make_finish(rows: int) -> Any:
    """The product of a tile that is so many rows high, finished."""

    @intrinsic
    def product(
        typing_context, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate,
        width, finish, bias, bias_start, residual, has_residual, limits,
    ):  # fmt: skip
        return types.void(*PRODUCT, *EPILOGUE), _write_finish(rows)

    return partial(_finish_numpy, rows) if JIT_OFF else product


def _make_runs(rows: int) -> Any:
    """The same where the numbers of a row lie in several runs."""

    @intrinsic
    def product(
        typing_context, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate,
        width, finish, bias, bias_start, residual, has_residual, limits, runs, jump,
    ):  # fmt: skip
        return types.void(*PRODUCT, *EPILOGUE, INDEX, INDEX), _write_finish(rows, in_runs=True)

    return partial(_finish_numpy, rows) if JIT_OFF else product


tile_product, tile_finish = _make_product(ROWS), _make_finish(ROWS)
# For the last rows, when they fill no more than half a tile, or two of EVEN rows but not two of the tallest:
half_finish = _make_finish(HALF)
runs_finish, half_runs_finish = _make_runs(ROWS), _make_runs(HALF)
tile_fetching, half_fetching, even_fetching = (_make_product(rows, fetching=True) for rows in (ROWS, HALF, EVEN))
