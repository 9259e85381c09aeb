"""v2_vector: one row at a time, while it is in cache, with the exponential of `_vector_math`."""

import math

import numpy as np
from numba.extending import register_jitable

from .._jit import kernel
from .._rows import LANES, as_rows, row_sum
from .._threads import parallel_for
from .._vector_math import exp32


@register_jitable
def powers_of_row(x, powers, lanes):
    """Write exp(x - m) of a row; return m, the largest x, and the sum of the powers."""
    most = x[0]
    for value in x:
        most = value if value > most else most
    for k in range(x.size):
        powers[k] = exp32(x[k] - most)
    return most, row_sum(powers, lanes)


@kernel
def _forward_rows(start, stop, x, log, y):
    powers, lanes = np.empty(x.shape[1], np.float32), np.empty(LANES, np.float32)
    for r in range(start, stop):
        row, result = x[r], y[r]
        most, total = powers_of_row(row, powers, lanes)
        if log:
            shift = np.float32(math.log(total))
            for k in range(row.size):
                result[k] = row[k] - most - shift
        else:
            share = np.float32(1 / total)
            for k in range(row.size):
                result[k] = powers[k] * share


@kernel
def _backward_rows(start, stop, y, dy, log, dx):
    products, lanes = np.empty(y.shape[1], np.float32), np.empty(LANES, np.float32)
    for r in range(start, stop):
        row, gradient, result = y[r], dy[r], dx[r]
        if log:
            total = np.float32(row_sum(gradient, lanes))
            for k in range(row.size):
                result[k] = gradient[k] - exp32(row[k]) * total
        else:
            for k in range(row.size):
                products[k] = gradient[k] * row[k]
            total = np.float32(row_sum(products, lanes))
            for k in range(row.size):
                result[k] = row[k] * (gradient[k] - total)


def softmax_forward_v2_vector(x: np.ndarray, log: bool, y: np.ndarray) -> np.ndarray:
    """y = softmax(x) or log softmax(x), row by row"""
    rows = as_rows(x)
    parallel_for(_forward_rows, len(rows), x.size, rows, log, y.reshape(rows.shape))
    return y


def softmax_backward_v2_vector(y: np.ndarray, dy: np.ndarray, log: bool, dx: np.ndarray) -> np.ndarray:
    """dx = y (dy - sum of dy y), or dy - exp(y) sum of dy, row by row"""
    rows = as_rows(y)
    parallel_for(_backward_rows, len(rows), y.size, rows, as_rows(dy), log, dx.reshape(rows.shape))
    return dx
