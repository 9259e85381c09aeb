"""dropout, as it is defined: y = x mask scale.  The gradient is the same product with dy in x's place."""

import numpy as np


def dropout_forward_reference(x: np.ndarray, mask: np.ndarray, scale: float, y: np.ndarray) -> np.ndarray:
    """y = x mask scale"""
    np.multiply(x, mask, out=y)
    y *= scale
    return y


dropout_backward_reference = dropout_forward_reference
