"""v2_reduce: NumPy's own reduction, which adds whole rows at a time."""

import numpy as np


def channel_sum_forward_v2_reduce(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y[c] = sum over r of x[r,c]"""
    return np.add.reduce(x, axis=0, out=y)
