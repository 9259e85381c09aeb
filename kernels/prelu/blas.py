"""v1_numpy: the definition on whole arrays."""

import numpy as np

from . import shared_axes


@np.errstate(invalid="ignore")
def prelu_forward_v1_numpy(x: np.ndarray, alpha: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y = x where x > 0, else alpha x"""
    y[...] = np.where(x > 0, x, alpha * x)
    return y


@np.errstate(invalid="ignore")
def prelu_backward_v1_numpy(
    x: np.ndarray, alpha: np.ndarray, dy: np.ndarray, dx: np.ndarray, dalpha: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(dx, dalpha)"""
    upper, zero = x > 0, x == 0
    dx[...] = np.where(upper, dy, np.where(zero, 0, dy * alpha))
    shares = np.where(upper | zero, 0, dy * x).sum(axis=0, dtype=np.float64)
    dalpha[...] = shares.sum(axis=shared_axes(alpha.shape, shares.shape)).reshape(alpha.shape)
    return dx, dalpha
