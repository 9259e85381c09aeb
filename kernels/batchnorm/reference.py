"""batchnorm, as it is defined, one channel at a time.

For a channel of R numbers, with sums in float64:

    mean = sum of x / R          variance = sum of (x - mean)^2 / R          s = 1 / sqrt(variance + epsilon)
    h = (x - mean) s             y = gamma h + beta

    dbeta = sum of dy            dgamma = sum of dy h
    dx = gamma s dy                                          when mean and variance are constants
    dx = gamma s (dy - dbeta / R - h dgamma / R)             when they are those of the batch

Where an activation follows, dy is first multiplied by its slope at y.
"""

import numpy as np

from .._epilogue import Epilogue


def channels_of(x: np.ndarray) -> np.ndarray:
    """x (...,C) as float64 columns (C,R): one row of numbers a channel."""
    return x.reshape(-1, x.shape[-1]).T.astype(np.float64)


def before_activation(y: np.ndarray, dy: np.ndarray, epilogue: Epilogue) -> np.ndarray:
    """The gradient before the activation of `epilogue`, from the y before it and the gradient dy after it."""
    if not epilogue.clips:
        return dy
    from .. import activation

    return activation.backward(y, y, dy, str(epilogue.activation), rung="v1_numpy")


@np.errstate(divide="ignore", invalid="ignore")
def batchnorm_forward_train_reference(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    epsilon: float,
    epilogue: Epilogue,
    y: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    inverse_std: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(y, mean, variance, inverse_std)"""
    rows = y.reshape(-1, y.shape[-1])
    for c, values in enumerate(channels_of(x)):
        count = max(1, len(values))
        average = sum(values) / count
        spread = sum((value - average) ** 2 for value in values) / count
        mean[c], variance[c], inverse_std[c] = average, spread, 1 / np.sqrt(spread + epsilon)
        for r, value in enumerate(values):
            rows[r, c] = gamma[c] * (value - average) / np.sqrt(spread + epsilon) + beta[c]
    return epilogue.activate(y), mean, variance, inverse_std


@np.errstate(invalid="ignore")
def batchnorm_backward_train_reference(
    x: np.ndarray,
    dy: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    epilogue: Epilogue,
    dx: np.ndarray,
    dgamma: np.ndarray,
    dbeta: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta), through the statistics"""
    dy = before_activation(gamma * ((x - mean) * inverse_std) + beta, dy, epilogue)
    rows = dx.reshape(-1, dx.shape[-1])
    for c, (values, gradients) in enumerate(zip(channels_of(x), channels_of(dy))):
        normal = [(value - mean[c]) * inverse_std[c] for value in values]
        by_beta, by_gamma = sum(gradients), sum(g * h for g, h in zip(gradients, normal))
        for r, (g, h) in enumerate(zip(gradients, normal)):
            rows[r, c] = gamma[c] * inverse_std[c] * (g - by_beta / len(values) - h * by_gamma / len(values))
        dgamma[c], dbeta[c] = by_gamma, by_beta
    return dx, dgamma, dbeta


@np.errstate(invalid="ignore")
def batchnorm_forward_infer_reference(
    x: np.ndarray, scale: np.ndarray, shift: np.ndarray, epilogue: Epilogue, y: np.ndarray
) -> np.ndarray:
    """y = activation(x scale + shift)"""
    for i in np.ndindex(x.shape):
        y[i] = x[i] * scale[i[-1]] + shift[i[-1]]
    return epilogue.activate(y)


@np.errstate(invalid="ignore")
def batchnorm_backward_infer_reference(
    x: np.ndarray,
    dy: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    epilogue: Epilogue,
    dx: np.ndarray,
    dgamma: np.ndarray,
    dbeta: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta), the statistics being constants: y = x scale + shift"""
    dy = before_activation(x * scale + shift, dy, epilogue)
    for c, (values, gradients) in enumerate(zip(channels_of(x), channels_of(dy))):
        dbeta[c] = sum(gradients)
        dgamma[c] = sum(g * (value - mean[c]) * inverse_std[c] for g, value in zip(gradients, values))
    for i in np.ndindex(dy.shape):
        dx[i] = dy[i] * scale[i[-1]]
    return dx, dgamma, dbeta
