"""layernorm, as it is defined, one row at a time.

For a row of C numbers, in float64:

    mean = sum of x / C          variance = sum of (x - mean)^2 / C          s = 1 / sqrt(variance + epsilon)
    h = (x - mean) s             y = gamma h + beta

    dbeta += dy                  dgamma += dy h
    dx = s (g - mean of g - h mean of (g h)),   g = gamma dy
"""

import numpy as np


@np.errstate(divide="ignore", invalid="ignore")
def layernorm_forward_reference(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    epsilon: float,
    y: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, mean, inverse_std)"""
    for r in np.ndindex(x.shape[:-1]):
        row = x[r].tolist()
        average = sum(row) / len(row)
        variance = sum((value - average) ** 2 for value in row) / len(row)
        scale = 1 / np.sqrt(variance + epsilon)
        mean[r], inverse_std[r] = average, scale
        y[r] = [g * (value - average) * scale + b for value, g, b in zip(row, gamma, beta)]
    return y, mean, inverse_std


@np.errstate(invalid="ignore")
def layernorm_backward_reference(
    x: np.ndarray,
    dy: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    inverse_std: np.ndarray,
    dx: np.ndarray,
    dgamma: np.ndarray,
    dbeta: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta)"""
    by_gamma, by_beta = np.zeros((2, x.shape[-1]))
    count = x.shape[-1]
    for r in np.ndindex(x.shape[:-1]):
        scale = inverse_std[r].item()
        normal = [(value - mean[r].item()) * scale for value in x[r].tolist()]
        scaled = [g * d for g, d in zip(gamma.tolist(), dy[r].tolist())]
        average, product = sum(scaled) / count, sum(g * h for g, h in zip(scaled, normal)) / count
        dx[r] = [scale * (g - average - h * product) for g, h in zip(scaled, normal)]
        by_beta += dy[r]
        by_gamma += dy[r] * normal
    dgamma[:], dbeta[:] = by_gamma, by_beta
    return dx, dgamma, dbeta
