"""upsample2d, as it is defined: every output is a weighted sum of one, two or four inputs.

The centre of output i lies at (i + 1/2) / f - 1/2 between the centres of the inputs.
"""

import math

import numpy as np


def taps(size: int, factor: int, interpolation: str) -> list[list[tuple[int, float]]]:
    """For every output along an axis, the inputs it sees, with their weights.

    >>> taps(2, 2, "bilinear")
    [[(0, 1.0)], [(0, 0.75), (1, 0.25)], [(0, 0.25), (1, 0.75)], [(1, 1.0)]]
    """
    if interpolation == "nearest":
        return [[(i // factor, 1.0)] for i in range(size * factor)]
    outputs = []
    for i in range(size * factor):
        centre = min(max((i + 0.5) / factor - 0.5, 0), size - 1)
        first = math.floor(centre)
        weight = centre - first
        outputs.append([(first, 1 - weight), (first + 1, weight)] if weight else [(first, 1.0)])
    return outputs


def _shares(x_shape: tuple[int, ...], factors: tuple[int, int], interpolation: str):
    """(i, j, p, q, weight) of every pair of an output pixel (i,j) and an input pixel (p,q) that it sees."""
    rows, columns = (taps(size, factor, interpolation) for size, factor in zip(x_shape[1:3], factors))
    for i, vertical in enumerate(rows):
        for j, horizontal in enumerate(columns):
            for p, weight_p in vertical:
                for q, weight_q in horizontal:
                    yield i, j, p, q, weight_p * weight_q


def upsample2d_forward_reference(
    x: np.ndarray, factors: tuple[int, int], interpolation: str, y: np.ndarray
) -> np.ndarray:
    """y = the weighted sums of x"""
    y[...] = 0
    for i, j, p, q, weight in _shares(x.shape, factors, interpolation):
        y[:, i, j] += weight * x[:, p, q]
    return y


def upsample2d_backward_reference(
    dy: np.ndarray, factors: tuple[int, int], interpolation: str, dx: np.ndarray
) -> np.ndarray:
    """dx = dy, sent back by the same weights"""
    dx[...] = 0
    for i, j, p, q, weight in _shares(dx.shape, factors, interpolation):
        dx[:, p, q] += weight * dy[:, i, j]
    return dx
