"""v1_numpy: one axis after the other, and one slice for each phase.

Outputs i, i + f, i + 2 f, ... lie at the same place between their inputs, so that they share a weight: f slices make
the whole axis.  For "bilinear" the image gets a border that repeats its edge, which the gradient adds back.
"""

import numpy as np

Array = np.ndarray


def _phases(factor: int):
    """(phase, first input in the bordered axis, weight of the input after it)"""
    for phase in range(factor):
        centre = (phase + 0.5) / factor - 0.5
        first = int(centre >= 0)
        yield phase, first, centre + 1 - first


def _enlarge(x: Array, factor: int) -> Array:
    """Bilinear interpolation along axis 1."""
    size = x.shape[1]
    bordered = np.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
    y = np.empty_like(x, shape=(x.shape[0], size * factor, *x.shape[2:]))
    for phase, first, weight in _phases(factor):
        before, after = bordered[:, first : first + size], bordered[:, first + 1 : first + 1 + size]
        y[:, phase::factor] = (1 - weight) * before + weight * after if weight else before
    return y


def _gather(dy: Array, factor: int) -> Array:
    """The transpose of `_enlarge`."""
    size = dy.shape[1] // factor
    bordered = np.zeros_like(dy, shape=(dy.shape[0], size + 2, *dy.shape[2:]))
    for phase, first, weight in _phases(factor):
        part = dy[:, phase::factor]
        bordered[:, first : first + size] += (1 - weight) * part
        if weight:
            bordered[:, first + 1 : first + 1 + size] += weight * part
    bordered[:, 1] += bordered[:, 0]
    bordered[:, -2] += bordered[:, -1]
    return bordered[:, 1:-1]


def upsample2d_forward_v1_numpy(x: Array, factors: tuple[int, int], interpolation: str, y: Array) -> Array:
    """y = the weighted sums of x"""
    (fh, fw), (n, h, w, c) = factors, x.shape
    if interpolation == "nearest":
        y.reshape(n, h, fh, w, fw, c)[...] = x[:, :, None, :, None]
    else:
        y[...] = _enlarge(_enlarge(x, fh).swapaxes(1, 2), fw).swapaxes(1, 2)
    return y


def upsample2d_backward_v1_numpy(dy: Array, factors: tuple[int, int], interpolation: str, dx: Array) -> Array:
    """dx = dy, sent back by the same weights"""
    (fh, fw), (n, h, w, c) = factors, dx.shape
    if interpolation == "nearest":
        return np.sum(dy.reshape(n, h, fh, w, fw, c), axis=(2, 4), out=dx)
    dx[...] = _gather(_gather(dy.swapaxes(1, 2), fw).swapaxes(1, 2), fh)
    return dx
