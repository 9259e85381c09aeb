"""The transforms of Winograd's convolution for one vector of channels, as intrinsics.

    to_points      (m+2)^2 vectors of pixels  ->  (m+2)^2 vectors, one for each point
    kernel_points  9 vectors of weights       ->  (m+2)^2 vectors, one for each point
    from_points    (m+2)^2 vectors of sums    ->  m^2 vectors of pixels, with bias and limits

and for the gradient of the kernel

    gradient_to_points  m^2 vectors of dy       ->  (m+2)^2 vectors, one for each point
    taps_from_points    (m+2)^2 vectors of sums  ->  9 vectors of dw

Numba's loops would walk over dozens of arrays at once, more than LLVM is willing to prove apart; so the formulas of
`_winograd.py` are called with vector registers, which writes them as straight code between loads and stores.
"""

from itertools import chain
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from .._emitter import FLAT, NUMBER, Emitter, Lanes, pointers
from .._host import TILE
from .._jit import JIT_OFF
from . import _winograd
from ._winograd import TAPS, Formula, both_axes

LANE = np.arange(TILE.lanes)


def _square(load: Any, side: int) -> list[list[Any]]:
    return [[load(i, j) for j in range(side)] for i in range(side)]


def _make_transform(formula: Formula, side: int) -> Any:
    """A square of `side` x `side` vectors, told by strides, to as many points as the formula makes of it."""

    @intrinsic
    def transform(typing_context, source, start, row, column, target, to, point):
        signature = types.void(FLAT, types.intp, types.intp, types.intp, FLAT, types.intp, types.intp)

        def codegen(context, builder, sig, args):
            source, start, row, column, target, to, point = args
            source, target = pointers(context, builder, [source, target])
            emit = Emitter(builder)

            def load(i, j):
                return Lanes(emit, emit.load(source, emit.offset(start, (NUMBER(i), row), (NUMBER(j), column))))

            for number, lanes in enumerate(chain.from_iterable(both_axes(formula, _square(load, side)))):
                emit.store(lanes.value, target, emit.offset(to, (NUMBER(number), point)))
            return context.get_dummy_value()

        return signature, codegen

    def transform_numpy(source, start, row, column, target, to, point):
        square = _square(lambda i, j: source[start + i * row + j * column + LANE], side)
        for number, values in enumerate(chain.from_iterable(both_axes(formula, square))):
            target[to + number * point + LANE] = values

    return transform_numpy if JIT_OFF else transform


def _make_from_points(formula: Formula, side: int) -> Any:
    """(side x side) points to pixels: y = clip(pixel + bias, low, high)."""

    @intrinsic
    def from_points(typing_context, sums, start, point, bias, b_start, y, y_start, y_row, y_pixel, limits):
        index = types.intp
        signature = types.void(
            FLAT, index, index, FLAT, index, FLAT, index, index, index, types.UniTuple(types.float32, 2)
        )  # fmt: skip

        def codegen(context, builder, sig, args):
            sums, start, point, bias, b_start, y, y_start, y_row, y_pixel, limits = args
            sums, bias, y = pointers(context, builder, [sums, bias, y])
            emit = Emitter(builder)
            low, high = (emit.splat(builder.extract_value(limits, i)) for i in range(2))
            offset = Lanes(emit, emit.load(bias, b_start))

            def load(i, j):
                return Lanes(emit, emit.load(sums, emit.offset(start, (NUMBER(i * side + j), point))))

            for i, row in enumerate(both_axes(formula, _square(load, side))):
                for j, lanes in enumerate(row):
                    at = emit.offset(y_start, (NUMBER(i), y_row), (NUMBER(j), y_pixel))
                    emit.store(emit.clip((lanes + offset).value, low, high), y, at)
            return context.get_dummy_value()

        return signature, codegen

    def from_points_numpy(sums, start, point, bias, b_start, y, y_start, y_row, y_pixel, limits):
        points = _square(lambda i, j: sums[start + (i * side + j) * point + LANE], side)
        for i, row in enumerate(both_axes(formula, points)):
            for j, values in enumerate(row):
                values = values + bias[b_start + LANE]
                values = np.where(values < limits[0], limits[0], values)
                y[y_start + i * y_row + j * y_pixel + LANE] = np.where(values > limits[1], limits[1], values)

    return from_points_numpy if JIT_OFF else from_points


to_points_2 = _make_transform(_winograd.to_points_2, 4)
to_points_4 = _make_transform(_winograd.to_points_4, 6)
kernel_points_2 = _make_transform(_winograd.kernel_points_2, TAPS)
kernel_points_4 = _make_transform(_winograd.kernel_points_4, TAPS)
from_points_2 = _make_from_points(_winograd.from_points_2, 4)
from_points_4 = _make_from_points(_winograd.from_points_4, 6)
gradient_to_points_4 = _make_transform(_winograd.gradient_to_points_4, 4)
taps_from_points_4 = _make_transform(_winograd.taps_from_points_4, 6)
