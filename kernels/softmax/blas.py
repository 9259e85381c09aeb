"""v1_numpy: the definition on whole arrays; sums are made in float64, since NumPy adds a strided axis one by one."""

import numpy as np


@np.errstate(invalid="ignore")
def softmax_forward_v1_numpy(x: np.ndarray, log: bool, y: np.ndarray) -> np.ndarray:
    """y = softmax(x) or log softmax(x)"""
    np.subtract(x, x.max(axis=-1, keepdims=True), out=y)
    powers = np.exp(y)
    total = powers.sum(axis=-1, keepdims=True, dtype=np.float64)
    return np.subtract(y, np.log(total), out=y) if log else np.divide(powers, total, out=y)


@np.errstate(invalid="ignore")
def softmax_backward_v1_numpy(y: np.ndarray, dy: np.ndarray, log: bool, dx: np.ndarray) -> np.ndarray:
    """dx = y (dy - sum of dy y), or dy - exp(y) sum of dy"""
    if log:
        return np.subtract(dy, np.exp(y) * dy.sum(axis=-1, keepdims=True, dtype=np.float64), out=dx)
    return np.multiply(y, dy - (dy * y).sum(axis=-1, keepdims=True, dtype=np.float64), out=dx)
