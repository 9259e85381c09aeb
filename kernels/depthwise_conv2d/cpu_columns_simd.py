"""The inner product of v4_columns as an intrinsic: neighbouring pixels of a row, summed while its columns pass by.

    y[p] = clip(bias + sum over a,b of  x[a, p s + b] * w[a,b], low, high)        for p in 0 .. PIXELS-1

Every term is a vector of neighbouring channels.  In a row a of the window, column j of the image is loaded once and
meets, through tap b = j - p s, every pixel p that sees it.  Columns at both ends may lie outside the image; they meet
nobody.  The taps and the stride s are fixed when the intrinsic is written, so that the sums stay in registers.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .._emitter import FLAT, NUMBER, Emitter, pointers
from .._jit import JIT_OFF
from ._choice import PIXELS
from .cpu_simd import counted_loop


def _columns_product_numpy(taps, stride, lanes, rows, inside, x, x_at, w, w_at, bias, bias_start, y, y_at, limits):
    """What the intrinsic computes, in NumPy: used when the JIT is off."""
    lane = np.arange(lanes)
    for p in range(PIXELS):
        total = bias[bias_start + lane]
        for a in range(rows):
            for b in range(taps):
                j = p * stride + b
                if inside[0] <= j < inside[1]:
                    left = x[x_at[0] + a * x_at[1] + j * x_at[2] + lane]
                    total = total + left * w[w_at[0] + a * w_at[1] + b * w_at[2] + lane]
        total = np.where(total < limits[0], limits[0], total)
        y[y_at[0] + p * y_at[1] + lane] = np.where(total > limits[1], limits[1], total)


class _Product(Emitter):
    """Writes the product for windows of a number of taps, a stride apart."""

    def write(self, taps: int, stride: int, rows: Any, inside: Any, x: Any, w: Any, bias: Any) -> list[Any]:
        """Each of x, w, bias is (pointer, start and strides).  Returns the sums."""
        builder = self.builder
        sums = [cgutils.alloca_once(builder, self.vector) for _ in range(PIXELS)]
        start = self.load(bias[0], bias[1])
        for slot in sums:
            builder.store(start, slot)
        (x_start, x_row, x_step), (w_start, w_row, w_step) = x[1], w[1]
        last = (PIXELS - 1) * stride
        with counted_loop(builder, rows, (x_start, x_row), (w_start, w_row)) as (x_first, w_first):
            weights = [self.load(w[0], self.offset(w_first, (NUMBER(b), w_step))) for b in range(taps)]
            for j in range(last + taps):
                pairs = [(slot, weights[j - p * stride]) for p, slot in enumerate(sums) if 0 <= j - p * stride < taps]
                place = self.offset(x_first, (NUMBER(j), x_step))
                if taps - 1 <= j <= last:
                    self._add(x[0], place, pairs)
                    continue
                after = builder.icmp_signed("<=", inside[0], NUMBER(j))
                with builder.if_then(builder.and_(after, builder.icmp_signed(">", inside[1], NUMBER(j)))):
                    self._add(x[0], place, pairs)
        return sums

    def _add(self, x: Any, place: Any, pairs: list[tuple[Any, Any]]) -> None:
        """Add a column, times the weight through which it is seen, to each sum that sees it."""
        column = self.load(x, place)
        for slot, weight in pairs:
            self.builder.store(self.builder.call(self.fma, [column, weight, self.builder.load(slot)]), slot)


@intrinsic(prefer_literal=True)
def _columns_product(
    typing_context, taps, stride, lanes, rows, inside, x, x_at, w, w_at, bias, bias_start, y, y_at, limits
):  # fmt: skip
    """taps, stride and lanes are numbers that are known when the kernel is compiled."""
    number, numbers = types.intp, {count: types.UniTuple(types.intp, count) for count in (2, 3)}
    signature = types.void(
        taps, stride, lanes, number, numbers[2], FLAT, numbers[3], FLAT, numbers[3], FLAT, number, FLAT, numbers[2],
        types.UniTuple(types.float32, 2),
    )  # fmt: skip

    def codegen(context, builder, sig, args):
        rows, inside, x, x_at, w, w_at, bias, bias_start, y, y_at, limits = args[3:]
        x, w, bias, y = pointers(context, builder, [x, w, bias, y])
        inside, x_at, w_at, y_at, limits = (
            cgutils.unpack_tuple(builder, numbers) for numbers in (inside, x_at, w_at, y_at, limits)
        )
        emit = _Product(builder, lanes.literal_value)
        known = taps.literal_value, stride.literal_value
        sums = emit.write(*known, rows, inside, (x, x_at), (w, w_at), (bias, bias_start))
        low, high = map(emit.splat, limits)
        for p, slot in enumerate(sums):
            emit.store(emit.clip(builder.load(slot), low, high), y, emit.offset(y_at[0], (NUMBER(p), y_at[1])))
        return context.get_dummy_value()

    return signature, codegen


columns_product: Any = _columns_product_numpy if JIT_OFF else _columns_product
