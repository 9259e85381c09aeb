"""Activations, as they are defined: y = f(x) and the slope dy/dx, one number at a time.

Each formula stands above its slope, which may use y = f(x) where that saves work.  A comparison is written so that
NaN falls through to a branch that gives NaN.

relu6: Krizhevsky, 2010.  elu: Clevert et al., 2016.  selu: Klambauer et al., 2017.  gelu: Hendrycks & Gimpel, 2016.
swish: Ramachandran et al., 2017.  hard_swish: Howard et al., 2019.  mish: Misra, 2019.
"""

import math

import numpy as np

SQRT_HALF = math.sqrt(0.5)
GAUSS = 1 / math.sqrt(2 * math.pi)  # height of the normal density
GELU_SCALE, GELU_CUBE = math.sqrt(2 / math.pi), 0.044715


def linear(x):
    return x


def linear_slope(x, y):
    return 1


def rectifier(x, negative_slope, most, threshold):
    """x between threshold and most; a line of slope `negative_slope` below."""
    if x <= threshold:
        return negative_slope * (x - threshold) if negative_slope else 0
    return most if x > most else x


def rectifier_slope(x, y, negative_slope, most, threshold):
    if x <= threshold:
        return negative_slope
    return 0 if x >= most else 1


def elu(x, alpha, scale):
    return scale * x if x > 0 else scale * alpha * np.expm1(x)


def elu_slope(x, y, alpha, scale):
    return scale if x > 0 else y + scale * alpha


def gelu(x):
    """x times the probability that a standard normal number is below x."""
    return x * 0.5 * math.erfc(-x * SQRT_HALF)


def gelu_slope(x, y):
    return 0.5 * math.erfc(-x * SQRT_HALF) + x * GAUSS * np.exp(-0.5 * x * x)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x)))


def gelu_tanh_slope(x, y):
    t = np.tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU_SCALE * (1 + 3 * GELU_CUBE * x * x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_slope(x, y):
    return y * (1 - y)


def hard_sigmoid(x, half):
    """0 up to -half, 1 from half on, a line between."""
    if x <= -half:
        return 0
    return 1 if x >= half else (x + half) / (2 * half)


def hard_sigmoid_slope(x, y, half):
    return 0 if abs(x) >= half else 1 / (2 * half)


def tanh(x):
    return np.tanh(x)


def tanh_slope(x, y):
    return 1 - y * y


def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return (0 if x <= 0 else x) + np.log1p(np.exp(-abs(x)))


def softplus_slope(x, y):
    return sigmoid(x)


def softsign(x):
    return x / (1 + abs(x))


def softsign_slope(x, y):
    return 1 / (1 + abs(x)) ** 2


def swish(x):
    return x * sigmoid(x)


def swish_slope(x, y):
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


def hard_swish(x, half):
    return x * hard_sigmoid(x, half)


def hard_swish_slope(x, y, half):
    return hard_sigmoid(x, half) + x * hard_sigmoid_slope(x, y, half)


def exponential(x):
    return np.exp(x)


def exponential_slope(x, y):
    return y


def mish(x):
    return x * np.tanh(softplus(x))


def mish_slope(x, y):
    t = np.tanh(softplus(x))
    return t + x * (1 - t * t) * sigmoid(x)


FORMULAS = {
    "linear": (linear, linear_slope),
    "rectifier": (rectifier, rectifier_slope),
    "elu": (elu, elu_slope),
    "gelu": (gelu, gelu_slope),
    "gelu_tanh": (gelu_tanh, gelu_tanh_slope),
    "sigmoid": (sigmoid, sigmoid_slope),
    "hard_sigmoid": (hard_sigmoid, hard_sigmoid_slope),
    "tanh": (tanh, tanh_slope),
    "softplus": (softplus, softplus_slope),
    "softsign": (softsign, softsign_slope),
    "swish": (swish, swish_slope),
    "hard_swish": (hard_swish, hard_swish_slope),
    "exponential": (exponential, exponential_slope),
    "mish": (mish, mish_slope),
}


@np.errstate(over="ignore", invalid="ignore")
def activation_forward_reference(x: np.ndarray, formula: str, numbers: tuple[float, ...], y: np.ndarray) -> np.ndarray:
    """y = f(x)"""
    value, _ = FORMULAS[formula]
    for i in np.ndindex(x.shape):
        y[i] = value(x[i], *numbers)
    return y


@np.errstate(over="ignore", invalid="ignore")
def activation_backward_reference(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, formula: str, numbers: tuple[float, ...], dx: np.ndarray
) -> np.ndarray:
    """dx = dy * f'(x)"""
    _, slope = FORMULAS[formula]
    for i in np.ndindex(x.shape):
        dx[i] = dy[i] * slope(x[i], y[i], *numbers)
    return dx
