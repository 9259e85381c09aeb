"""The register tile: one intrinsic that Numba's loops call for the inner product of a matrix multiply.

    c (rows,columns)  =  a (rows,k) @ b (k,columns)      or  +=  when `accumulate` is set

A tile of ROWS x COLUMNS sums is held in vector registers while k runs.  Each step loads COLUMNS numbers of b as
VECTORS vectors, broadcasts ROWS numbers of a, and issues ROWS * VECTORS fused multiply-adds.  Numba's loops alone
do not keep such a tile in registers, so the intrinsic writes it as LLVM vector instructions; the tile's size follows
the CPU's registers (Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008, section 6).

Operands are flat arrays with a start and strides in elements, so that a and b may be rows of an image, of packed
patches, or of packed weights.  Each sum runs over k in order: the result does not depend on how tiles are shared out.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ._jit import JIT_OFF, config


class Tile(NamedTuple):
    """The shape of the register tile."""

    lanes: int  # float32 numbers in one vector register
    rows: int
    vectors: int


def cpu_features() -> set[str]:
    """Names of the vector extensions that Numba compiles for ("avx2", "avx512f", ...)."""
    if config.CPU_FEATURES is not None:
        return {name[1:] for name in config.CPU_FEATURES.split(",") if name.startswith("+")}
    if config.CPU_NAME not in (None, "host"):
        return set()
    return {name for name, present in binding.get_host_cpu_features().items() if present}


def host_tile() -> Tile:
    """The tile that fills, and does not overflow, this CPU's vector registers."""
    features = cpu_features()
    if "avx512f" in features:  # 32 registers of 16: 28 sums, 2 of b, 1 broadcast
        return Tile(16, 14, 2)
    if {"avx2", "fma"} <= features:  # 16 registers of 8: 12 sums, 2 of b, 1 broadcast
        return Tile(8, 6, 2)
    if "neon" in features:  # 32 registers of 4: 24 sums, 3 of b, 1 broadcast
        return Tile(4, 8, 3)
    return Tile(4, 4, 2)  # SSE: 16 registers of 4


TILE = host_tile()
ROWS = TILE.rows
COLUMNS = TILE.vectors * TILE.lanes
FUSED = bool({"fma", "avx512f", "neon"} & cpu_features())


def _tile_product_numpy(a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate):
    """What the intrinsic computes, in NumPy: used when the JIT is off."""
    rows, columns, steps = np.arange(ROWS), np.arange(COLUMNS), np.arange(k)
    left = a[a_start + rows[:, None] * a_row + steps * a_step]
    right = b[b_start + steps[:, None] * b_step + columns]
    where = c_start + rows[:, None] * c_row + columns
    c[where] = left @ right + (c[where] if accumulate else 0)


class Emitter:
    """Shorthand for the few LLVM instructions that work on vectors of `lanes` float32 numbers."""

    def __init__(self, builder: Any, lanes: int = TILE.lanes):
        self.builder = builder
        self.vector = ir.VectorType(ir.FloatType(), lanes)
        name = f"llvm.{'fma' if FUSED else 'fmuladd'}.v{lanes}f32"
        self.fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(self.vector, [self.vector] * 3), name)

    def offset(self, *terms: Any) -> Any:
        """Sum of products: offset(start, (i, stride), ...)."""
        total = terms[0]
        for index, stride in terms[1:]:
            total = self.builder.add(total, self.builder.mul(index, stride))
        return total

    def _vector_at(self, base: Any, offset: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(base, [offset]), self.vector.as_pointer())

    def load(self, base: Any, offset: Any) -> Any:
        value = self.builder.load(self._vector_at(base, offset))
        value.align = 4
        return value

    def store(self, value: Any, base: Any, offset: Any) -> None:
        self.builder.store(value, self._vector_at(base, offset)).align = 4

    def splat(self, scalar: Any) -> Any:
        """A vector with the same number in every lane."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.vector.count), [0] * self.vector.count)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def broadcast(self, base: Any, offset: Any) -> Any:
        return self.splat(self.builder.load(self.builder.gep(base, [offset])))


def _emit_tile(builder: Any, a: Any, b: Any, c: Any, numbers: list[Any]) -> None:
    """Write the tile product into the function under construction."""
    a_start, a_row, a_step, b_start, b_step, c_start, c_row, k, accumulate = numbers
    emit = Emitter(builder)
    i64 = ir.IntType(64)
    lane = [ir.Constant(i64, j * TILE.lanes) for j in range(TILE.vectors)]
    row = [ir.Constant(i64, i) for i in range(TILE.rows)]
    # The sums are stack slots here; LLVM turns them into registers.
    sums = [[cgutils.alloca_once(builder, emit.vector) for _ in lane] for _ in row]

    with builder.if_else(builder.icmp_signed("!=", accumulate, ir.Constant(i64, 0))) as (again, fresh):
        with again:
            for i, slots in zip(row, sums):
                for j, slot in zip(lane, slots):
                    builder.store(emit.load(c, builder.add(emit.offset(c_start, (i, c_row)), j)), slot)
        with fresh:
            for slots in sums:
                for slot in slots:
                    builder.store(ir.Constant(emit.vector, [0.0] * TILE.lanes), slot)

    with cgutils.for_range(builder, k) as loop:
        b_now = emit.offset(b_start, (loop.index, b_step))
        right = [emit.load(b, builder.add(b_now, j)) for j in lane]
        a_now = emit.offset(a_start, (loop.index, a_step))
        for i, slots in zip(row, sums):
            left = emit.broadcast(a, emit.offset(a_now, (i, a_row)))
            for value, slot in zip(right, slots):
                builder.store(builder.call(emit.fma, [left, value, builder.load(slot)]), slot)

    for i, slots in zip(row, sums):
        for j, slot in zip(lane, slots):
            emit.store(builder.load(slot), c, builder.add(emit.offset(c_start, (i, c_row)), j))


@intrinsic
def _tile_product(typing_context, a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate):
    integers = [types.intp] * 3
    flat = types.float32[::1]
    signature = types.void(flat, *integers, flat, *integers[:2], flat, *integers[:2], types.intp, types.intp)

    def codegen(context, builder, sig, args):
        a, a_start, a_row, a_step, b, b_start, b_step, c, c_start, c_row, k, accumulate = args
        a, b, c = (context.make_array(flat)(context, builder, array).data for array in (a, b, c))
        _emit_tile(builder, a, b, c, [a_start, a_row, a_step, b_start, b_step, c_start, c_row, k, accumulate])
        return context.get_dummy_value()

    return signature, codegen


tile_product: Any = _tile_product_numpy if JIT_OFF else _tile_product
