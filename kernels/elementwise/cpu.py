"""v1_threads: the same operation in one compiled loop, on parts of the arrays that several threads take at once.

Neighbouring axes along which the same operands are repeated count as one; what is left are at most three axes in all
but strange cases: (images, pixels, channels), where a gate of shape (N,1,1,C) is repeated along the second.
"""

import math
from itertools import groupby

import numpy as np
from numba.extending import register_jitable

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import kernel
from .._threads import STREAMED, capturing, parallel_for
from . import reference

Array = np.ndarray
BLOCK = 16_384  # numbers in a part
AXES = 3


def add(a, b):
    return a + b


def multiply(a, b):
    return a * b


def maximum(a, b):
    return a if a >= b or a != a else b


@register_jitable(forceinline=True)
def clipped(value, low, high):
    value = low if value < low else value
    return high if value > high else value


def _loop(formula):
    """The compiled loop over parts of the last axis, along which an operand may be one number."""
    value = register_jitable(forceinline=True)(formula)

    @kernel
    def loop(start, stop, a, b, y, limits, sizes, a_strides, b_strides):
        low, high = limits
        parts = (sizes[2] + BLOCK - 1) // BLOCK
        for part in range(start, stop):
            row, first = part // parts, part % parts * BLOCK
            i, j, length = row // sizes[1], row % sizes[1], min(BLOCK, sizes[2] - first)
            at = i * a_strides[0] + j * a_strides[1] + first * a_strides[2]
            bt = i * b_strides[0] + j * b_strides[1] + first * b_strides[2]
            target = y[row * sizes[2] + first : row * sizes[2] + first + length]
            if a_strides[2] == 0:
                second = b[bt : bt + length]
                for k in range(length):
                    target[k] = clipped(value(a[at], second[k]), low, high)
            elif b_strides[2] == 0:
                first_operand = a[at : at + length]
                for k in range(length):
                    target[k] = clipped(value(first_operand[k], b[bt]), low, high)
            else:
                first_operand, second = a[at : at + length], b[bt : bt + length]
                for k in range(length):
                    target[k] = clipped(value(first_operand[k], second[k]), low, high)

    return loop


LOOPS = {formula.__name__: _loop(formula) for formula in (add, multiply, maximum)}


def _axes(a: Array, b: Array, y: Array) -> list[tuple[int, bool, bool]]:
    """(size, whether a is repeated, whether b is) of the axes of y, those together that are alike."""
    padded = [(1,) * (y.ndim - array.ndim) + array.shape for array in (a, b)]
    single = [(size, size != first, size != second) for size, first, second in zip(y.shape, *padded) if size != 1]
    grouped = groupby(single, key=lambda axis: axis[1:])
    return [(math.prod(size for size, _, _ in axes), *repeated) for repeated, axes in grouped]


def _strides(axes: list[tuple[int, bool, bool]], which: int) -> tuple[int, ...]:
    """How far apart neighbours along each axis lie in a (which = 1) or b (2); 0 where it is repeated."""
    strides, step = [], 1
    for axis in reversed(axes):
        strides.append(0 if axis[which] else step)
        step *= 1 if axis[which] else axis[0]
    return tuple(strides[::-1])


def _run(name: str, a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    axes = _axes(a, b, y)
    if len(axes) > AXES:
        if capturing():
            raise UnsupportedError(f"elementwise: shapes {a.shape} and {b.shape} cannot be captured")
        return getattr(reference, f"elementwise_{name}_reference")(a, b, epilogue, y)
    axes = [(1, False, False)] * (AXES - len(axes)) + axes
    sizes = tuple(size for size, _, _ in axes)
    flat = operand(a).reshape(-1), operand(b).reshape(-1), y.reshape(-1)
    parts = sizes[0] * sizes[1] * -(-sizes[2] // BLOCK)
    arguments = (*flat, epilogue.limits, sizes, _strides(axes, 1), _strides(axes, 2))
    parallel_for(LOOPS[name], parts, STREAMED * y.size, *arguments)
    return epilogue.rest(y)


def elementwise_add_v1_threads(a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(a + b)"""
    return _run("add", a, b, epilogue, y)


def elementwise_multiply_v1_threads(a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(a b)"""
    return _run("multiply", a, b, epilogue, y)


def elementwise_maximum_v1_threads(a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(the larger of a and b)"""
    return _run("maximum", a, b, epilogue, y)
