"""prelu, as it is defined, one number at a time.

y is x above zero and alpha x below; dx is dy times 1 above, alpha below and 0 at zero; dalpha gathers dy x below.
"""

import numpy as np


def prelu_forward_reference(x: np.ndarray, alpha: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y = x where x > 0, else alpha x"""
    slopes = np.broadcast_to(alpha, x.shape[1:])
    for i in np.ndindex(x.shape):
        y[i] = x[i] if x[i] > 0 else slopes[i[1:]] * x[i]
    return y


def prelu_backward_reference(
    x: np.ndarray, alpha: np.ndarray, dy: np.ndarray, dx: np.ndarray, dalpha: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(dx, dalpha)"""
    sums = np.zeros(alpha.shape)
    for i in np.ndindex(x.shape):
        place = tuple(0 if size == 1 else at for at, size in zip(i[1:], alpha.shape))
        if x[i] > 0:
            dx[i] = dy[i]
        elif x[i] == 0:
            dx[i] = 0
        else:
            dx[i] = dy[i] * alpha[place]
            sums[place] += dy[i] * x[i]
    dalpha[...] = sums
    return dx, dalpha
