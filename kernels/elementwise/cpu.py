"""v1_threads: the same operation in one compiled loop, on parts of the arrays that several threads take at once."""

import numpy as np
from numba.extending import register_jitable

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._broadcast import Axis, merged_axes, merged_strides
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


def _run(name: str, a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    axes = merged_axes(y.shape, a.shape, b.shape)
    if len(axes) > AXES:
        if capturing():
            raise UnsupportedError(f"elementwise: shapes {a.shape} and {b.shape} cannot be captured")
        return getattr(reference, f"elementwise_{name}_reference")(a, b, epilogue, y)
    axes = [Axis(1, (False, False))] * (AXES - len(axes)) + axes
    sizes = tuple(size for size, _ in axes)
    flat = operand(a).reshape(-1), operand(b).reshape(-1), y.reshape(-1)
    parts = sizes[0] * sizes[1] * -(-sizes[2] // BLOCK)
    arguments = (*flat, epilogue.limits, sizes, merged_strides(axes, 0), merged_strides(axes, 1))
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
