"""v2_rows: one row at a time, while it is in cache.

dgamma and dbeta are sums over rows: each chunk of rows makes its own, and they are added in order, in float64.
A loop that touches many arrays is written as several: LLVM makes vector instructions of a loop only if it can check
that its arrays do not overlap, and gives up beyond a few.
"""

import numpy as np

from .._arrays import operand
from .._jit import kernel
from .._lanes import rows_in_chunk
from .._rows import LANES, as_rows, row_sum
from .._threads import parallel_for

Array = np.ndarray
ZERO = np.float32(0)


@kernel
def _forward_rows(start, stop, x, gamma, beta, epsilon, y, means, inverses):
    count = x.shape[1]
    squares, lanes = np.empty(count, np.float32), np.empty(LANES, np.float32)
    for r in range(start, stop):
        row, result = x[r], y[r]
        mean = np.float32(row_sum(row, lanes) / count)
        for c in range(count):
            deviation = row[c] - mean
            squares[c] = deviation * deviation
        inverse = np.float32(1 / np.sqrt(row_sum(squares, lanes) / count + epsilon))
        means[r], inverses[r] = mean, inverse
        for c in range(count):
            result[c] = (row[c] - mean) * inverse * gamma[c] + beta[c]


@kernel
def _backward_chunks(start, stop, x, dy, gamma, means, inverses, chunk_rows, dx, dgammas, dbetas):
    count = x.shape[1]
    normal, scaled = np.empty(count, np.float32), np.empty(count, np.float32)
    products, lanes = np.empty(count, np.float32), np.empty(LANES, np.float32)
    for k in range(start, stop):
        dgamma, dbeta = dgammas[k], dbetas[k]
        dgamma[:], dbeta[:] = ZERO, ZERO
        for r in range(k * chunk_rows, min((k + 1) * chunk_rows, x.shape[0])):
            row, gradient, result, mean, inverse = x[r], dy[r], dx[r], means[r], inverses[r]
            for c in range(count):
                normal[c] = (row[c] - mean) * inverse
            for c in range(count):
                scaled[c] = gradient[c] * gamma[c]
                products[c] = scaled[c] * normal[c]
            for c in range(count):
                dgamma[c] += gradient[c] * normal[c]
            for c in range(count):
                dbeta[c] += gradient[c]
            average = np.float32(row_sum(scaled, lanes) / count)
            product = np.float32(row_sum(products, lanes) / count)
            for c in range(count):
                result[c] = inverse * (scaled[c] - average - normal[c] * product)


def layernorm_forward_v2_rows(
    x: Array, gamma: Array, beta: Array, epsilon: float, y: Array, mean: Array, inverse_std: Array
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std)"""
    rows = as_rows(x)
    vectors = operand(gamma), operand(beta)
    outputs = y.reshape(rows.shape), mean.reshape(-1), inverse_std.reshape(-1)
    parallel_for(_forward_rows, len(rows), x.size, rows, *vectors, float(epsilon), *outputs)
    return y, mean, inverse_std


def layernorm_backward_v2_rows(
    x: Array, dy: Array, gamma: Array, mean: Array, inverse_std: Array, dx: Array, dgamma: Array, dbeta: Array
) -> tuple[Array, Array, Array]:
    """(dx, dgamma, dbeta)"""
    rows = as_rows(x)
    chunk_rows = rows_in_chunk(x.shape[-1])
    chunks = -(-len(rows) // chunk_rows)
    dgammas, dbetas = np.empty((2, chunks, x.shape[-1]), np.float32)
    vectors = (operand(array).reshape(-1) for array in (gamma, mean, inverse_std))
    arguments = (rows, as_rows(dy), *vectors, chunk_rows, dx.reshape(rows.shape), dgammas, dbetas)
    parallel_for(_backward_chunks, chunks, x.size, *arguments)
    dgamma[...], dbeta[...] = dgammas.sum(axis=0, dtype=np.float64), dbetas.sum(axis=0, dtype=np.float64)
    return dx, dgamma, dbeta
