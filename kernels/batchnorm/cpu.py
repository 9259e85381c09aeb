"""v2_chunks: every number is read once for the statistics and once to be normalised.

x is cut into chunks of rows as `_lanes` says.  A chunk fits the cache: its mean and its squared deviations, lane by
lane, are two passes over it of which only the first reads memory.  Chunks and lanes are combined in order, in float64:

    M = sum of m[k],      M2 = sum of m2[k] + sum of n[k] (mean[k] - mean)^2

(Chan, Golub & LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).

Forward and backward make y = x scale + shift of the same two vectors in the same way, so both see each number on the
same side of an activation's limits.
"""

import numpy as np
from numba.extending import register_jitable

from .._arrays import operand
from .._epilogue import PLAIN, Epilogue
from .._jit import kernel
from .._lanes import cut, flat, folded, tiled
from .._threads import STREAMED, parallel_for

Array = np.ndarray
ZERO, ONE = np.float32(0), np.float32(1)


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


def one(y, limits):
    return ONE


def slope_of_clip(y, limits):
    low, high = limits
    if y <= low:
        return ZERO
    return ZERO if y >= high else ONE


def _gradient_loops(slope):
    """The compiled loops of the gradients, where the activation after y = x scale + shift has the slope `slope`.

    In them g is dy before the activation, which has these limits.
    """
    slope = register_jitable(forceinline=True)(slope)

    @kernel
    def gradient_sums(start, stop, x, dy, mean, scale, shift, limits, rows, sums, products):
        """For chunks of `rows` rows: sums[k,i] of g and products[k,i] of g (x - mean), for every lane i."""
        width = mean.size
        for k in range(start, stop):
            part = slice(k * rows * width, (k + 1) * rows * width)
            values, gradients, total, product = x[part], dy[part], sums[k], products[k]
            total[:], product[:] = ZERO, ZERO
            for first in range(0, values.size, width):
                row, gradient = values[first : first + width], gradients[first : first + width]
                for i in range(row.size):
                    g = gradient[i] * slope(row[i] * scale[i] + shift[i], limits)
                    total[i] += g
                    product[i] += g * (row[i] - mean[i])

    @kernel
    def scale_gradient(start, stop, x, dy, scale, shift, limits, rows, dx):
        """dx = scale g, lane by lane."""
        width = scale.size
        for k in range(start, stop):
            part = slice(k * rows * width, (k + 1) * rows * width)
            values, gradients, results = x[part], dy[part], dx[part]
            for first in range(0, values.size, width):
                row, gradient = values[first : first + width], gradients[first : first + width]
                result = results[first : first + width]
                for i in range(row.size):
                    result[i] = scale[i] * (gradient[i] * slope(row[i] * scale[i] + shift[i], limits))

    @kernel
    def combine_gradients(start, stop, x, dy, scale, shift, limits, by_x, constant, rows, dx):
        """dx = scale g + by_x x + constant, lane by lane."""
        width = scale.size
        for k in range(start, stop):
            part = slice(k * rows * width, (k + 1) * rows * width)
            values, gradients, results = x[part], dy[part], dx[part]
            for first in range(0, values.size, width):
                row, gradient = values[first : first + width], gradients[first : first + width]
                result = results[first : first + width]
                for i in range(row.size):
                    g = gradient[i] * slope(row[i] * scale[i] + shift[i], limits)
                    result[i] = scale[i] * g + (by_x[i] * row[i] + constant[i])

    return gradient_sums, scale_gradient, combine_gradients


LOOPS = {False: _gradient_loops(one), True: _gradient_loops(slope_of_clip)}  # by whether an activation clips


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


def _scale_and_shift(gamma: Array, beta: Array, mean: Array, inverse_std: Array) -> tuple[Array, Array]:
    """(scale, shift) such that y = x scale + shift, from what the forward pass returns, in float64."""
    scale = gamma * inverse_std.astype(np.float64)
    return scale, beta - mean * scale


def _sums_of(x: Array, dy: Array, scale: Array, shift: Array, epilogue: Epilogue, mean: Array) -> tuple[Array, Array]:
    """(sum of g, sum of g (x - mean)) of every channel of flat arrays, in float64."""
    channels = len(mean)
    width, rows, chunks = cut(x.size, channels)
    sums, products = np.empty((2, chunks, width), np.float32)
    vectors, limits = [tiled(vector, width) for vector in (mean, scale, shift)], epilogue.limits
    parallel_for(LOOPS[epilogue.clips][0], chunks, STREAMED * x.size, x, dy, *vectors, limits, rows, sums, products)
    return folded(sums, channels), folded(products, channels)


@np.errstate(divide="ignore", invalid="ignore")
def batchnorm_forward_train_v2_chunks(
    x: Array, gamma: Array, beta: Array, epsilon: float, epilogue: Epilogue,
    y: Array, mean: Array, variance: Array, inverse_std: Array,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """(y, mean, variance, inverse_std)"""
    x = operand(x)
    average, spread = _moments_of(x.reshape(-1), x.shape[-1])
    mean[...], variance[...], inverse_std[...] = average, spread, 1 / np.sqrt(spread + epsilon)
    _apply(x, *_scale_and_shift(gamma, beta, mean, inverse_std), y, epilogue)
    return y, mean, variance, inverse_std


@np.errstate(invalid="ignore")
def batchnorm_backward_train_v2_chunks(
    x: Array, dy: Array, gamma: Array, beta: Array, mean: Array, inverse_std: Array, epilogue: Epilogue,
    dx: Array, dgamma: Array, dbeta: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(dx, dgamma, dbeta), through the statistics"""
    values, gradients = flat(x), flat(dy)
    scale, shift = _scale_and_shift(gamma, beta, mean, inverse_std)
    sums, products = _sums_of(values, gradients, scale, shift, epilogue, mean)
    dbeta[...], dgamma[...] = sums, products * inverse_std
    count = max(1, x.size // len(mean))
    by_x = -scale * np.square(inverse_std, dtype=np.float64) * products / count
    constant = -scale * sums / count - by_x * mean
    width, rows, chunks = cut(x.size, len(mean))
    scale, shift, by_x, constant = (tiled(vector, width) for vector in (scale, shift, by_x, constant))
    arguments = (values, gradients, scale, shift, epilogue.limits, by_x, constant, rows, dx.reshape(-1))
    parallel_for(LOOPS[epilogue.clips][2], chunks, STREAMED * x.size, *arguments)
    return dx, dgamma, dbeta


def batchnorm_forward_infer_v2_chunks(x: Array, scale: Array, shift: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(x scale + shift)"""
    return _apply(x, scale, shift, y, epilogue)


@np.errstate(invalid="ignore")
def batchnorm_backward_infer_v2_chunks(
    x: Array, dy: Array, scale: Array, shift: Array, mean: Array, inverse_std: Array, epilogue: Epilogue,
    dx: Array, dgamma: Array, dbeta: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(dx, dgamma, dbeta), the statistics being constants: y = x scale + shift"""
    values, gradients = flat(x), flat(dy)
    sums, products = _sums_of(values, gradients, scale, shift, epilogue, mean)
    dbeta[...], dgamma[...] = sums, products * inverse_std
    width, rows, chunks = cut(x.size, len(mean))
    arguments = (values, gradients, tiled(scale, width), tiled(shift, width), epilogue.limits, rows, dx.reshape(-1))
    parallel_for(LOOPS[epilogue.clips][1], chunks, STREAMED * x.size, *arguments)
    return dx, dgamma, dbeta
