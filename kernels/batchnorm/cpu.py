"""v2_chunks: every number is read once for the statistics and once to be normalised.

x is cut into chunks of rows as `_lanes` says.  A chunk fits the cache: its mean and its squared deviations, lane by
lane, are two passes over it of which only the first reads memory.  Chunks and lanes are combined in order, in float64:

    M = sum of m[k],      M2 = sum of m2[k] + sum of n[k] (mean[k] - mean)^2

(Chan, Golub & LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).
"""

import numpy as np

from .._arrays import operand
from .._epilogue import Epilogue
from .._jit import kernel
from .._lanes import cut, flat, folded, tiled
from .._threads import STREAMED, parallel_for

Array = np.ndarray
ZERO = np.float32(0)
PLAIN = Epilogue()


@kernel
def _moments(start, stop, x, rows, means, squares):
    """For chunks of `rows` rows: means[k,i] and squares[k,i] = sum of (x - mean)^2 of every lane i."""
    width = means.shape[1]
    for k in range(start, stop):
        chunk, mean, square = x[k * rows * width : (k + 1) * rows * width], means[k], squares[k]
        mean[:], square[:] = ZERO, ZERO
        for first in range(0, chunk.size, width):
            row = chunk[first : first + width]
            for i in range(row.size):
                mean[i] += row[i]
        whole, rest = chunk.size // width, chunk.size % width
        for i in range(width):
            mean[i] /= np.float32(max(1, whole + (1 if i < rest else 0)))
        for first in range(0, chunk.size, width):
            row = chunk[first : first + width]
            for i in range(row.size):
                deviation = row[i] - mean[i]
                square[i] += deviation * deviation


@kernel
def _gradient_sums(start, stop, x, dy, mean, rows, sums, products):
    """For chunks of `rows` rows: sums[k,i] of dy and products[k,i] of dy (x - mean), for every lane i."""
    width = mean.size
    for k in range(start, stop):
        part = slice(k * rows * width, (k + 1) * rows * width)
        values, gradients, total, product = x[part], dy[part], sums[k], products[k]
        total[:], product[:] = ZERO, ZERO
        for first in range(0, values.size, width):
            row, gradient = values[first : first + width], gradients[first : first + width]
            for i in range(row.size):
                total[i] += gradient[i]
                product[i] += gradient[i] * (row[i] - mean[i])


@kernel
def _scale_shift(start, stop, x, scale, shift, limits, rows, y):
    """y = clip(x scale + shift, low, high), lane by lane."""
    low, high = limits
    width = scale.size
    for k in range(start, stop):
        part = slice(k * rows * width, (k + 1) * rows * width)
        values, results = x[part], y[part]
        for first in range(0, values.size, width):
            row, result = values[first : first + width], results[first : first + width]
            for i in range(row.size):
                value = row[i] * scale[i] + shift[i]
                value = low if value < low else value
                result[i] = high if value > high else value


@kernel
def _combine_gradients(start, stop, x, dy, by_dy, by_x, constant, rows, dx):
    """dx = by_dy dy + by_x x + constant, lane by lane."""
    width = by_dy.size
    for k in range(start, stop):
        part = slice(k * rows * width, (k + 1) * rows * width)
        values, gradients, results = x[part], dy[part], dx[part]
        for first in range(0, values.size, width):
            row, gradient = values[first : first + width], gradients[first : first + width]
            result = results[first : first + width]
            for i in range(row.size):
                result[i] = by_dy[i] * gradient[i] + (by_x[i] * row[i] + constant[i])


def _lane_counts(size: int, width: int, rows: int, chunks: int) -> Array:
    """How many numbers each lane of each chunk has (chunks, width): the last row may be short."""
    counts = np.full((chunks, width), rows)
    last = size - (chunks - 1) * rows * width
    counts[-1:] = last // width + (np.arange(width) < last % width)
    return counts


def _moments_of(x: Array, channels: int) -> tuple[Array, Array]:
    """(mean, variance) of every channel of a flat array, in float64."""
    width, rows, chunks = cut(x.size, channels)
    means, squares = np.empty((2, chunks, width), np.float32)
    parallel_for(_moments, chunks, STREAMED * x.size, x, rows, means, squares)
    counts = _lane_counts(x.size, width, rows, chunks).reshape(-1, channels)
    means, squares = means.reshape(-1, channels).astype(np.float64), squares.reshape(-1, channels)
    total = max(1, x.size // channels)
    mean = (counts * means).sum(axis=0) / total
    between = (counts * np.square(means - mean)).sum(axis=0)
    return mean, (squares.sum(axis=0, dtype=np.float64) + between) / total


def _apply(x: Array, scale: Array, shift: Array, y: Array, epilogue: Epilogue = PLAIN) -> Array:
    """y = activation(x scale + shift)"""
    width, rows, chunks = cut(x.size, len(scale))
    vectors, limits = (tiled(scale, width), tiled(shift, width)), epilogue.limits
    parallel_for(_scale_shift, chunks, STREAMED * x.size, flat(x), *vectors, limits, rows, y.reshape(-1))
    return epilogue.rest(y)


def _sums_of(x: Array, dy: Array, mean: Array) -> tuple[Array, Array]:
    """(sum of dy, sum of dy (x - mean)) of every channel of flat arrays, in float64."""
    channels = len(mean)
    width, rows, chunks = cut(x.size, channels)
    sums, products = np.empty((2, chunks, width), np.float32)
    parallel_for(_gradient_sums, chunks, STREAMED * x.size, x, dy, tiled(mean, width), rows, sums, products)
    return folded(sums, channels), folded(products, channels)


@np.errstate(divide="ignore", invalid="ignore")
def batchnorm_forward_train_v2_chunks(
    x: Array, gamma: Array, beta: Array, epsilon: float, y: Array, mean: Array, variance: Array, inverse_std: Array
) -> tuple[Array, Array, Array, Array]:
    """(y, mean, variance, inverse_std)"""
    x = operand(x)
    average, spread = _moments_of(x.reshape(-1), x.shape[-1])
    inverse = 1 / np.sqrt(spread + epsilon)
    mean[...], variance[...], inverse_std[...] = average, spread, inverse
    _apply(x, gamma * inverse, beta - average * gamma * inverse, y)
    return y, mean, variance, inverse_std


def batchnorm_backward_train_v2_chunks(
    x: Array, dy: Array, gamma: Array, mean: Array, inverse_std: Array, dx: Array, dgamma: Array, dbeta: Array
) -> tuple[Array, Array, Array]:
    """(dx, dgamma, dbeta), through the statistics"""
    values, gradients = flat(x), flat(dy)
    sums, products = _sums_of(values, gradients, mean)
    dbeta[...], dgamma[...] = sums, products * inverse_std
    count = max(1, x.size // len(mean))
    scale = gamma * inverse_std
    by_x = -scale * inverse_std * np.float64(inverse_std) * products / count
    constant = -scale * sums / count - by_x * mean
    width, rows, chunks = cut(x.size, len(mean))
    vectors = [tiled(vector, width) for vector in (scale, by_x, constant)]
    parallel_for(_combine_gradients, chunks, STREAMED * x.size, values, gradients, *vectors, rows, dx.reshape(-1))
    return dx, dgamma, dbeta


def batchnorm_forward_infer_v2_chunks(x: Array, scale: Array, shift: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(x scale + shift)"""
    return _apply(x, scale, shift, y, epilogue)


def batchnorm_backward_infer_v2_chunks(
    x: Array, dy: Array, gamma: Array, mean: Array, inverse_std: Array, dx: Array, dgamma: Array, dbeta: Array
) -> tuple[Array, Array, Array]:
    """(dx, dgamma, dbeta), the statistics being constants"""
    sums, products = _sums_of(flat(x), flat(dy), mean)
    dbeta[...], dgamma[...] = sums, products * inverse_std
    _apply(dy, gamma * inverse_std, np.zeros_like(gamma), dx)
    return dx, dgamma, dbeta
