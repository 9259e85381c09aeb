"""Penalties on weights by Keras' names, for layers' `kernel_regularizer` and `bias_regularizer`."""

from minicnn.layers.regularizers import L1L2
from minicnn.layers.regularizers import get_regularizer as get

__all__ = ["L1", "L1L2", "L2", "get", "l1", "l1_l2", "l2"]


def L1(l1: float = 0.01) -> L1L2:  # Keras' spelling
    """penalty = l1 Σ|w|"""
    return L1L2(l1=l1)


def L2(l2: float = 0.01) -> L1L2:
    """penalty = l2 Σw²

    >>> import numpy as np
    >>> L2(0.5).penalty(np.array([2.0]))
    2.0
    """
    return L1L2(l2=l2)


l1, l2, l1_l2 = L1, L2, L1L2
