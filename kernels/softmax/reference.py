"""softmax, as it is defined, one row at a time, in float64.

    y[k] = exp(x[k] - m) / sum over j of exp(x[j] - m),   m = the largest x

Taking m away changes nothing in exact arithmetic and keeps exp from overflowing.  With s = sum over j of dy[j] y[j],

    dx[k] = y[k] (dy[k] - s)            and for the logarithm          dx[k] = dy[k] - exp(y[k]) sum over j of dy[j]
"""

import numpy as np


def softmax_forward_reference(x: np.ndarray, log: bool, y: np.ndarray) -> np.ndarray:
    """y = softmax(x) or log softmax(x)"""
    for row in np.ndindex(x.shape[:-1]):
        values = x[row].tolist()
        most = max(values)
        shifted = [value - most for value in values]
        total = sum(np.exp(value) for value in shifted)
        y[row] = [value - np.log(total) if log else np.exp(value) / total for value in shifted]
    return y


def softmax_backward_reference(y: np.ndarray, dy: np.ndarray, log: bool, dx: np.ndarray) -> np.ndarray:
    """dx = y (dy - sum of dy y), or dy - exp(y) sum of dy"""
    for row in np.ndindex(y.shape[:-1]):
        pairs = list(zip(y[row].tolist(), dy[row].tolist()))
        total = sum(gradient if log else gradient * value for value, gradient in pairs)
        dx[row] = [gradient - np.exp(value) * total if log else value * (gradient - total) for value, gradient in pairs]
    return dx
