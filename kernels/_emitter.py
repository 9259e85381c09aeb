"""Writing vector instructions: what the intrinsics of the kernels are made of.

Numba turns Python into LLVM instructions; where its loops do not become the vector code that they should, an intrinsic
writes the instructions itself, with the help of these two classes.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from ._host import FUSED, TILE

FLAT = types.float32[::1]
NUMBER = ir.IntType(64)


def pointers(context: Any, builder: Any, arrays: list[Any]) -> list[Any]:
    """Where the numbers of flat arrays begin."""
    return [context.make_array(FLAT)(context, builder, array).data for array in arrays]


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

    def prefetch(self, base: Any, offset: Any, writes: bool) -> None:
        """Ask for the line of the cache of a number that is needed soon.

        What is read goes to the second level: the first one has few places for lines under way, and they fill up.
        """
        word, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        place = self.builder.bitcast(self.builder.gep(base, [offset]), byte)
        self.builder.call(function, [place, word(int(writes)), word(3 if writes else 2), word(1)])

    def splat(self, scalar: Any) -> Any:
        """A vector with the same number in every lane."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.vector.count), [0] * self.vector.count)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def broadcast(self, base: Any, offset: Any) -> Any:
        return self.splat(self.builder.load(self.builder.gep(base, [offset])))

    def clip(self, value: Any, low: Any, high: Any) -> Any:
        """value within limits; NaN, which compares false, stays."""
        for comparison, limit in (("<", low), (">", high)):
            outside = self.builder.fcmp_ordered(comparison, value, limit)
            value = self.builder.select(outside, limit, value)
        return value


class Lanes:
    """Numbers in a vector register of the program that is being written: arithmetic on them writes its instructions.

    A formula in Python, meant for arrays of NumPy, so becomes code when it is called with these.
    """

    def __init__(self, emit: Emitter, value: Any):
        self.emit, self.value = emit, value

    def _with(self, instruction: str, other: Any) -> "Lanes":
        right = other.value if isinstance(other, Lanes) else ir.Constant(self.value.type, [other] * TILE.lanes)
        return Lanes(self.emit, getattr(self.emit.builder, instruction)(self.value, right, flags=("contract",)))

    def __add__(self, other: Any) -> "Lanes":
        return self._with("fadd", other)

    def __sub__(self, other: Any) -> "Lanes":
        return self._with("fsub", other)

    def __mul__(self, other: Any) -> "Lanes":
        return self._with("fmul", other)
