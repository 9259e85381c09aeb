"""layernorm on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous
from .._gpu.rows import rows_of

FILE = CudaFile("layernorm/cuda.cu")


def layernorm_forward_v1_direct(
    x: Any, gamma: Any, beta: Any, epsilon: float, y: Any, mean: Any, inverse_std: Any
) -> tuple[Any, Any, Any]:
    """(y, mean, inverse_std)"""
    inputs = (*map(contiguous, (x, gamma, beta)), np.float64(epsilon))
    FILE.each(y, "layernorm_forward_v1_direct", mean.size, *inputs, y, mean, inverse_std, *rows_of(x))
    return y, mean, inverse_std


def layernorm_backward_v1_direct(
    x: Any, dy: Any, gamma: Any, mean: Any, inverse_std: Any, dx: Any, dgamma: Any, dbeta: Any
) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta)"""
    x, dy, gamma, mean, inverse_std = map(contiguous, (x, dy, gamma, mean, inverse_std))
    FILE.each(dx, "layernorm_dx_v1_direct", mean.size, x, dy, gamma, mean, inverse_std, dx, *rows_of(x))
    FILE.each(dx, "layernorm_dgamma_v1_direct", x.shape[-1], x, dy, mean, inverse_std, dgamma, dbeta, *rows_of(x))
    return dx, dgamma, dbeta
