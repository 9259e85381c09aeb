"""The inner product of a depthwise convolution as one intrinsic: sums of a few pixels in vector registers.

    y[p] = clip(start[p] + sum over a,b of  x[p,a,b] * w[a,b], low, high)        for p in 0 .. pixels-1

Every term is a vector of neighbouring channels.  The pixels share each load of w, and their independent sums keep
the multiply-add units busy.  Where x[p,a,b] lies is told by strides, so that the same product serves all three
directions: the pixels are outputs or taps, and a,b run over taps or outputs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .._emitter import Emitter
from .._host import TILE
from .._jit import JIT_OFF

LANES = TILE.lanes
NARROW = 4  # lanes for the channels that do not fill a whole vector; the last few go one by one
PIXELS = 3  # also the width of most filters: the weight gradient takes neighbouring taps for pixels


def _lanes_product_numpy(pixels, lanes, counts, x, x_at, w, w_at, initial, initial_at, y, y_at, limits):
    """What the intrinsics compute, in NumPy: used when the JIT is off."""
    lane = np.arange(lanes)
    for p in range(pixels):
        total = initial[initial_at[0] + p * initial_at[1] + lane]
        for a in range(counts[0]):
            for b in range(counts[1]):
                left = x[x_at[0] + p * x_at[1] + a * x_at[2] + b * x_at[3] + lane]
                total = total + left * w[w_at[0] + a * w_at[1] + b * w_at[2] + lane]
        total = np.where(total < limits[0], limits[0], total)
        y[y_at[0] + p * y_at[1] + lane] = np.where(total > limits[1], limits[1], total)


class _Product(Emitter):
    """Writes the product for vectors of a number of lanes."""

    def write(self, pixels: int, counts: Any, x: Any, w: Any, initial: Any, y: Any, limits: Any) -> None:
        """Each of x, w, initial, y is (pointer, [start, strides...])."""
        builder = self.builder
        index = [ir.Constant(ir.IntType(64), p) for p in range(pixels)]
        # The sums are stack slots here; LLVM turns them into registers.
        sums = [cgutils.alloca_once(builder, self.vector) for _ in index]
        for p, slot in zip(index, sums):
            builder.store(self.load(initial[0], self.offset(initial[1][0], (p, initial[1][1]))), slot)
        (x_start, x_pixel, x_row, x_step), (w_start, w_row, w_step) = x[1], w[1]
        with (
            counted_loop(builder, counts[0], (x_start, x_row), (w_start, w_row)) as (x_first, w_first),
            counted_loop(builder, counts[1], (x_first, x_step), (w_first, w_step)) as (x_now, w_now),
        ):
            right = self.load(w[0], w_now)
            for p, slot in zip(index, sums):
                left = self.load(x[0], self.offset(x_now, (p, x_pixel)))
                builder.store(builder.call(self.fma, [left, right, builder.load(slot)]), slot)
        for p, slot in zip(index, sums):
            value = self.clip(builder.load(slot), *map(self.splat, limits))
            self.store(value, y[0], self.offset(y[1][0], (p, y[1][1])))


@contextmanager
def counted_loop(builder: Any, count: Any, *walks: tuple[Any, Any]) -> Iterator[list[Any]]:
    """A loop of `count` rounds; each walk is (start, stride), and what it has come to is yielded.

    LLVM is told not to unroll it: the counts are small, and what it sets up in advance would take longer than they.
    """
    i64 = ir.IntType(64)
    before, body, after = builder.block, builder.append_basic_block("round"), builder.append_basic_block("done")
    builder.cbranch(builder.icmp_signed(">", count, i64(0)), body, after)
    builder.position_at_end(body)
    walks = ((i64(0), i64(1)), *walks)
    current = [builder.phi(i64) for _ in walks]
    yield current[1:]
    following = [builder.add(now, stride) for now, (_, stride) in zip(current, walks)]
    for now, then, (start, _) in zip(current, following, walks):
        now.add_incoming(start, before)
        now.add_incoming(then, builder.block)
    again = builder.cbranch(builder.icmp_signed("<", following[0], count), body, after)
    disable = builder.module.add_metadata([ir.MetaDataString(builder.module, "llvm.loop.unroll.disable")])
    loop_id = ir.values.MDValue(builder.module, [disable], name=str(len(builder.module.metadata)))
    loop_id.operands = (loop_id, disable)
    again.set_metadata("llvm.loop", loop_id)
    builder.position_at_end(after)


def _emit_widths(builder: Any, pixels: int, lanes: Any, operands: list[Any]) -> None:
    """The product at the width that `lanes` names when the program runs."""
    widths = list(dict.fromkeys([LANES, NARROW, 1]))
    for width in widths:
        with builder.if_then(builder.icmp_signed("==", lanes, ir.Constant(ir.IntType(64), width))):
            _Product(builder, width).write(pixels, *operands)


def _make_product(pixels: int) -> Any:
    """The intrinsic for a number of pixels that is fixed when it is compiled."""

    @intrinsic
    def lanes_product(typing_context, lanes, counts, x, x_at, w, w_at, initial, initial_at, y, y_at, limits):
        flat = types.float32[::1]
        tuples = [types.UniTuple(types.intp, count) for count in (2, 4, 3, 2, 2)]
        signature = types.void(
            types.intp, tuples[0], flat, tuples[1], flat, tuples[2], flat, tuples[3], flat, tuples[4],
            types.UniTuple(types.float32, 2),
        )  # fmt: skip

        def codegen(context, builder, sig, args):
            lanes, counts, *places, limits = args
            pairs = [
                (context.make_array(flat)(context, builder, array).data, cgutils.unpack_tuple(builder, numbers))
                for array, numbers in zip(places[::2], places[1::2])
            ]
            operands = [cgutils.unpack_tuple(builder, counts), *pairs, cgutils.unpack_tuple(builder, limits)]
            _emit_widths(builder, pixels, lanes, operands)
            return context.get_dummy_value()

        return signature, codegen

    return lanes_product


def _pixels_product_numpy(*arguments):
    _lanes_product_numpy(PIXELS, *arguments)


def _pixel_product_numpy(*arguments):
    _lanes_product_numpy(1, *arguments)


pixels_product: Any = _pixels_product_numpy if JIT_OFF else _make_product(PIXELS)
pixel_product: Any = _pixel_product_numpy if JIT_OFF else _make_product(1)
