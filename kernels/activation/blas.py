"""v1_numpy: the formulas on whole arrays.  One idea: the loop runs inside NumPy.

Every operation of a formula is a pass over memory and makes an array of x's size; the next rung saves both.
A formula of `reference.py` that has no branch takes arrays as it is.
"""

import numpy as np

from . import reference
from .erfc import erfc
from .reference import GAUSS, SQRT_HALF

Array = np.ndarray


def rectifier(x: Array, negative_slope: float, most: float, threshold: float) -> Array:
    if negative_slope == 0 == threshold:
        return np.clip(x, 0, most)
    low = negative_slope * (x - threshold) if negative_slope else 0
    return np.where(x <= threshold, low, np.minimum(x, most))


def rectifier_slope(x: Array, y: Array, negative_slope: float, most: float, threshold: float) -> Array:
    return np.where(x <= threshold, negative_slope, ~(x >= most))


def elu(x: Array, alpha: float, scale: float) -> Array:
    return np.where(x > 0, scale * x, scale * alpha * np.expm1(x))


def elu_slope(x: Array, y: Array, alpha: float, scale: float) -> Array:
    return np.where(x > 0, scale, y + scale * alpha)


def normal_probability(x: Array) -> Array:
    """The probability that a standard normal number is below x, in x's dtype."""
    return (0.5 * erfc(-x * SQRT_HALF)).astype(x.dtype)


def gelu(x: Array) -> Array:
    return x * normal_probability(x)


def gelu_slope(x: Array, y: Array) -> Array:
    return normal_probability(x) + x * GAUSS * np.exp(-0.5 * x * x)


def hard_sigmoid(x: Array, half: float) -> Array:
    return np.clip((x + half) / (2 * half), 0, 1)


def hard_sigmoid_slope(x: Array, y: Array, half: float) -> Array:
    return np.where(abs(x) >= half, 0, 1 / (2 * half))


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def hard_swish(x: Array, half: float) -> Array:
    return x * hard_sigmoid(x, half)


def hard_swish_slope(x: Array, y: Array, half: float) -> Array:
    return hard_sigmoid(x, half) + x * hard_sigmoid_slope(x, y, half)


def mish(x: Array) -> Array:
    return x * np.tanh(softplus(x))


def mish_slope(x: Array, y: Array) -> Array:
    t = np.tanh(softplus(x))
    return t + x * (1 - t * t) * reference.sigmoid(x)


FORMULAS = reference.FORMULAS | {
    "rectifier": (rectifier, rectifier_slope),
    "elu": (elu, elu_slope),
    "gelu": (gelu, gelu_slope),
    "hard_sigmoid": (hard_sigmoid, hard_sigmoid_slope),
    "softplus": (softplus, reference.softplus_slope),
    "hard_swish": (hard_swish, hard_swish_slope),
    "mish": (mish, mish_slope),
}


@np.errstate(over="ignore", invalid="ignore")
def activation_forward_v1_numpy(x: Array, formula: str, numbers: tuple[float, ...], y: Array) -> Array:
    """y = f(x)"""
    value, _ = FORMULAS[formula]
    y[...] = value(x, *numbers)
    return y


@np.errstate(over="ignore", invalid="ignore")
def activation_backward_v1_numpy(
    x: Array, y: Array, dy: Array, formula: str, numbers: tuple[float, ...], dx: Array
) -> Array:
    """dx = dy * f'(x)"""
    _, slope = FORMULAS[formula]
    return np.multiply(dy, slope(x, y, *numbers), out=dx)
