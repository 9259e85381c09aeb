"""embedding, as it is defined, one row at a time; the sums are made in float64.

y[n] = w[rows[n]]          dw[rows[n]] += dy[n]
"""

import numpy as np


def embedding_forward_reference(rows: np.ndarray, w: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y (N,E)"""
    for n, row in enumerate(rows):
        y[n] = w[row]
    return y


def embedding_backward_reference(rows: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> np.ndarray:
    """dw (V,E)"""
    sums = np.zeros(dw.shape)
    for n, row in enumerate(rows):
        sums[row] += dy[n]
    dw[...] = sums
    return dw
