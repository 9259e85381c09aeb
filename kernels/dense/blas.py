"""v2_blas: the whole product in one call of the BLAS that NumPy was built with.

BLAS has threads of its own, and splits some sums among them: with another number of BLAS threads the last bits may
differ.  That is why the compiled rungs are the default where Numba is installed.
"""

import numpy as np

from .._epilogue import Epilogue
from ._storage import Stored, restored


def dense_forward_v2_blas(x: np.ndarray, w: np.ndarray | Stored, epilogue: Epilogue, y: np.ndarray) -> np.ndarray:
    """y = activation(x @ w + bias + residual)"""
    return epilogue.apply(np.matmul(x, restored(w, y.dtype), out=y))


def dense_backward_input_v2_blas(dy: np.ndarray, w: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """dx = dy @ w transposed"""
    return np.matmul(dy, w.T, out=dx)


def dense_backward_weights_v2_blas(x: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> np.ndarray:
    """dw = x transposed @ dy"""
    return np.matmul(x.T, dy, out=dw)
