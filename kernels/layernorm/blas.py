"""v1_numpy: the definition on whole arrays, sums in float64."""

import numpy as np

Array = np.ndarray


def _mean(x: Array) -> Array:
    """The mean of each row, in x's dtype."""
    return x.mean(axis=-1, keepdims=True, dtype=np.float64).astype(x.dtype)


@np.errstate(divide="ignore", invalid="ignore")
def layernorm_forward_v1_numpy(
    x: Array, gamma: Array, beta: Array, epsilon: float, y: Array, mean: Array, inverse_std: Array
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std)"""
    mean[...] = _mean(x)
    centred = x - mean
    inverse_std[...] = 1 / np.sqrt(_mean(np.square(centred)) + epsilon)
    centred *= inverse_std
    np.multiply(centred, gamma, out=y)
    y += beta
    return y, mean, inverse_std


@np.errstate(invalid="ignore")
def layernorm_backward_v1_numpy(
    x: Array, dy: Array, gamma: Array, mean: Array, inverse_std: Array, dx: Array, dgamma: Array, dbeta: Array
) -> tuple[Array, Array, Array]:
    """(dx, dgamma, dbeta)"""
    axes = tuple(range(x.ndim - 1))
    normal = (x - mean) * inverse_std
    dbeta[...] = dy.sum(axis=axes, dtype=np.float64)
    dgamma[...] = (dy * normal).sum(axis=axes, dtype=np.float64)
    scaled = dy * gamma
    np.multiply(scaled - _mean(scaled) - normal * _mean(scaled * normal), inverse_std, out=dx)
    return dx, dgamma, dbeta
