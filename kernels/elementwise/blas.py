"""v1_threads: NumPy's operations on parts of the arrays, which several threads take at once.

NumPy's loops already fill the vector registers and let go of the interpreter lock; only large arrays gain.
"""

from functools import partial

import numpy as np

from .._threads import STREAMED, parallel_for

Array = np.ndarray
BLOCK = 65_536  # numbers in a part


def _parts(operation, start: int, stop: int, a: Array, b: Array, y: Array, length: int) -> None:
    """y = operation(a, b) for some parts of `length` along the first axis, where a or b may have size 1."""
    part = slice(start * length, stop * length)
    operation(a if len(a) == 1 else a[part], b if len(b) == 1 else b[part], out=y[part])


_add, _multiply, _maximum = (partial(_parts, operation) for operation in (np.add, np.multiply, np.maximum))


def _run(kernel, a: Array, b: Array, y: Array) -> Array:
    """Cut flat arrays where possible, else along the first axis."""
    if a.shape == b.shape and a.flags.c_contiguous and b.flags.c_contiguous:
        whole, arrays = y.reshape(-1), (a.reshape(-1), b.reshape(-1))
    else:
        whole = y.reshape(y.shape or (1,))
        arrays = tuple(array.reshape((1,) * (whole.ndim - array.ndim) + array.shape) for array in (a, b))
    length = max(1, BLOCK * len(whole) // max(1, y.size))
    parallel_for(kernel, -(-len(whole) // length), STREAMED * y.size, *arrays, whole, length)
    return y


def elementwise_add_v1_threads(a: Array, b: Array, y: Array) -> Array:
    """y = a + b"""
    return _run(_add, a, b, y)


def elementwise_multiply_v1_threads(a: Array, b: Array, y: Array) -> Array:
    """y = a b"""
    return _run(_multiply, a, b, y)


def elementwise_maximum_v1_threads(a: Array, b: Array, y: Array) -> Array:
    """y = the larger of a and b"""
    return _run(_maximum, a, b, y)
