"""batchnorm on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from .._gpu.rows import rows_of

FILE = CudaFile("batchnorm/cuda.cu")


def clip_of(epilogue: Epilogue) -> tuple[np.float32, np.float32, np.int32]:
    """(low, high, whether there is a clip at all), as the kernels of gradients take them."""
    return *epilogue.limits, np.int32(epilogue.clips)


def batchnorm_forward_train_v1_direct(
    x: Any, gamma: Any, beta: Any, epsilon: float, epilogue: Epilogue,
    y: Any, mean: Any, variance: Any, inverse_std: Any,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """(y, mean, variance, inverse_std)"""
    inputs = (*map(contiguous, (x, gamma, beta)), np.float64(epsilon), *epilogue.limits)
    outputs = y, mean, variance, inverse_std
    FILE.each(y, "batchnorm_forward_train_v1_direct", x.shape[-1], *inputs, *outputs, *rows_of(x))
    return outputs


def batchnorm_backward_train_v1_direct(
    x: Any, dy: Any, gamma: Any, beta: Any, mean: Any, inverse_std: Any, epilogue: Epilogue,
    dx: Any, dgamma: Any, dbeta: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """(dx, dgamma, dbeta), through the statistics"""
    inputs = (*map(contiguous, (x, dy, gamma, beta, mean, inverse_std)), *clip_of(epilogue))
    FILE.each(dx, "batchnorm_backward_train_v1_direct", x.shape[-1], *inputs, dx, dgamma, dbeta, *rows_of(x))
    return dx, dgamma, dbeta


def batchnorm_forward_infer_v1_direct(x: Any, scale: Any, shift: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x scale + shift)"""
    inputs = (*map(contiguous, (x, scale, shift)), *epilogue.limits)
    FILE.each(y, "batchnorm_forward_infer_v1_direct", y.size, *inputs, y, np.int64(y.size), *ints(x.shape[-1]))
    return epilogue.rest(y)


def batchnorm_backward_infer_v1_direct(
    x: Any, dy: Any, scale: Any, shift: Any, mean: Any, inverse_std: Any, epilogue: Epilogue,
    dx: Any, dgamma: Any, dbeta: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """(dx, dgamma, dbeta), the statistics being constants: y = x scale + shift"""
    inputs = (*map(contiguous, (x, dy, scale, shift, mean, inverse_std)), *clip_of(epilogue))
    FILE.each(dx, "batchnorm_backward_infer_v1_direct", x.shape[-1], *inputs, dx, dgamma, dbeta, *rows_of(x))
    return dx, dgamma, dbeta
