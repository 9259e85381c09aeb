"""elementwise, as it is defined: one NumPy operation each."""

import numpy as np

from .._epilogue import Epilogue

Array = np.ndarray


def elementwise_add_reference(a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(a + b)"""
    return epilogue.activate(np.add(a, b, out=y))


def elementwise_multiply_reference(a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(a b)"""
    return epilogue.activate(np.multiply(a, b, out=y))


def elementwise_maximum_reference(a: Array, b: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(the larger of a and b)"""
    return epilogue.activate(np.maximum(a, b, out=y))


def elementwise_maximum_backward_reference(a: Array, b: Array, dy: Array, da: Array, db: Array) -> tuple[Array, Array]:
    """da = dy where a >= b, db = dy elsewhere"""
    first = a >= b
    np.multiply(dy, first, out=da)
    np.multiply(dy, ~first, out=db)
    return da, db


def elementwise_reduce_reference(x: Array, y: Array) -> Array:
    """y = the sum of x over the axes that y lacks or has once"""
    shape = (1,) * (x.ndim - y.ndim) + y.shape
    repeated = tuple(axis for axis, size in enumerate(shape) if size != x.shape[axis])
    y[...] = x.sum(axis=repeated, dtype=np.float64, keepdims=True).reshape(y.shape)
    return y
