"""v1_numpy: the definition on whole arrays.

NumPy adds along the leading axes one row after the other, so that the error of a float32 sum would grow with the
number of rows; the sums are made in float64.
"""

import numpy as np

from .._epilogue import Epilogue
from .reference import before_activation

Array = np.ndarray


def _sum(x: Array) -> Array:
    """The sum over all axes but the last, in float64."""
    return x.sum(axis=tuple(range(x.ndim - 1)), dtype=np.float64)


@np.errstate(divide="ignore", invalid="ignore")
def batchnorm_forward_train_v1_numpy(
    x: Array, gamma: Array, beta: Array, epsilon: float, epilogue: Epilogue,
    y: Array, mean: Array, variance: Array, inverse_std: Array,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """(y, mean, variance, inverse_std)"""
    count = max(1, x.size // x.shape[-1])
    mean[...] = _sum(x) / count
    centred = x - mean
    variance[...] = _sum(np.square(centred)) / count
    inverse_std[...] = 1 / np.sqrt(variance + epsilon)
    np.multiply(centred, gamma * inverse_std, out=y)
    y += beta
    return epilogue.activate(y), mean, variance, inverse_std


@np.errstate(invalid="ignore")
def batchnorm_backward_train_v1_numpy(
    x: Array, dy: Array, gamma: Array, beta: Array, mean: Array, inverse_std: Array, epilogue: Epilogue,
    dx: Array, dgamma: Array, dbeta: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(dx, dgamma, dbeta), through the statistics"""
    count = max(1, x.size // x.shape[-1])
    centred, scale = x - mean, gamma * inverse_std
    dy, normal = before_activation(centred * scale + beta, dy, epilogue), centred * inverse_std
    dbeta[...] = _sum(dy)
    dgamma[...] = _sum(dy * normal)
    np.multiply(dy - dbeta / count - normal * (dgamma / count), scale, out=dx)
    return dx, dgamma, dbeta


@np.errstate(invalid="ignore")
def batchnorm_forward_infer_v1_numpy(x: Array, scale: Array, shift: Array, epilogue: Epilogue, y: Array) -> Array:
    """y = activation(x scale + shift)"""
    np.multiply(x, scale, out=y)
    y += shift
    return epilogue.activate(y)


@np.errstate(invalid="ignore")
def batchnorm_backward_infer_v1_numpy(
    x: Array, dy: Array, scale: Array, shift: Array, mean: Array, inverse_std: Array, epilogue: Epilogue,
    dx: Array, dgamma: Array, dbeta: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(dx, dgamma, dbeta), the statistics being constants: y = x scale + shift"""
    dy = before_activation(x * scale + shift, dy, epilogue)
    dbeta[...] = _sum(dy)
    dgamma[...] = _sum(dy * (x - mean)) * inverse_std
    np.multiply(dy, scale, out=dx)
    return dx, dgamma, dbeta
