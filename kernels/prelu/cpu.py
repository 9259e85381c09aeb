"""v2_vector: one compiled pass, alpha being repeated along the lanes of `_lanes`.

Where alpha is shared over the first axes of a sample, as over the image, its pattern is one pixel long; sums for dalpha
are made lane by lane and chunk by chunk, and what is shared along later axes is added up at the end.
"""

import numpy as np

from .._jit import kernel
from .._lanes import cut, flat, folded, tiled
from .._threads import STREAMED, parallel_for
from . import shared_axes

ZERO = np.float32(0)


@kernel
def _forward_chunks(start, stop, x, slopes, rows, y):
    width = slopes.size
    for k in range(start, stop):
        part = slice(k * rows * width, (k + 1) * rows * width)
        values, results = x[part], y[part]
        for first in range(0, values.size, width):
            row, result = values[first : first + width], results[first : first + width]
            for i in range(row.size):
                result[i] = row[i] if row[i] > ZERO else slopes[i] * row[i]


@kernel
def _backward_chunks(start, stop, x, dy, slopes, rows, dx, sums):
    width = slopes.size
    for k in range(start, stop):
        part = slice(k * rows * width, (k + 1) * rows * width)
        values, gradients, results, total = x[part], dy[part], dx[part], sums[k]
        total[:] = ZERO
        for first in range(0, values.size, width):
            row, gradient = values[first : first + width], gradients[first : first + width]
            result = results[first : first + width]
            for i in range(row.size):
                below = ZERO if row[i] == ZERO else gradient[i] * slopes[i]
                result[i] = gradient[i] if row[i] > ZERO else below
                total[i] += ZERO if row[i] >= ZERO else gradient[i] * row[i]


def _pattern(alpha: np.ndarray, sample: tuple[int, ...]) -> np.ndarray:
    """alpha without the first axes that it shares, and repeated along the later ones."""
    first = 0
    while first < alpha.ndim - 1 and alpha.shape[first] == 1:
        first += 1
    return np.broadcast_to(alpha.reshape(alpha.shape[first:]), sample[first:])


def prelu_forward_v2_vector(x: np.ndarray, alpha: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y = x where x > 0, else alpha x"""
    if not x.size:
        return y
    pattern = flat(_pattern(alpha, x.shape[1:]))
    width, rows, chunks = cut(x.size, pattern.size)
    arguments = (flat(x), tiled(pattern, width), rows, y.reshape(-1))
    parallel_for(_forward_chunks, chunks, STREAMED * x.size, *arguments)
    return y


def prelu_backward_v2_vector(
    x: np.ndarray, alpha: np.ndarray, dy: np.ndarray, dx: np.ndarray, dalpha: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(dx, dalpha)"""
    dalpha[...] = 0
    if not x.size:
        return dx, dalpha
    pattern = _pattern(alpha, x.shape[1:])
    width, rows, chunks = cut(x.size, pattern.size)
    sums = np.empty((chunks, width), np.float32)
    arguments = (flat(x), flat(dy), tiled(flat(pattern), width), rows, dx.reshape(-1), sums)
    parallel_for(_backward_chunks, chunks, STREAMED * x.size, *arguments)
    shares = folded(sums, pattern.size).reshape(x.shape[-pattern.ndim :])
    kept = alpha.shape[-pattern.ndim :]
    dalpha[...] = shares.sum(axis=shared_axes(kept, shares.shape)).reshape(alpha.shape)
    return dx, dalpha
