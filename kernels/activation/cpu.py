"""v2_vector: the formulas in one compiled pass.  One idea: read x once, write y once, and keep the rest in registers.

Each formula is written for a single float32 number; `_loops` puts it into the loop over a block, which LLVM turns
into vector instructions.  Constants are float32, since one float64 in a formula would halve the width of the
vectors.  What was an exponential of the C library is `exp32`, which can run in a vector register.
"""

import numpy as np
from numba.extending import register_jitable

from .._jit import kernel
from .._lanes import flat
from .._threads import STREAMED, parallel_for
from .._vector_math import exp32, expm1_negative32, log1p_unit32, normal_probability32
from . import reference

BLOCK = 8192  # elements: what a thread takes at a time stays in the first-level cache
ZERO, HALF, ONE, TWO = (np.float32(v) for v in (0, 0.5, 1, 2))
GAUSS, GELU_SCALE, GELU_CUBE = (np.float32(v) for v in (reference.GAUSS, reference.GELU_SCALE, reference.GELU_CUBE))
THREE_CUBES = np.float32(3 * reference.GELU_CUBE)


def linear(x, numbers):
    return x


def linear_slope(x, y, numbers):
    return ONE


def rectifier(x, numbers):
    negative_slope, most, threshold = numbers
    if x <= threshold:
        return negative_slope * (x - threshold) if negative_slope != ZERO else ZERO
    return most if x > most else x


def rectifier_slope(x, y, numbers):
    negative_slope, most, threshold = numbers
    if x <= threshold:
        return negative_slope
    return ZERO if x >= most else ONE


def elu(x, numbers):
    alpha, scale = numbers
    return scale * x if x > ZERO else scale * alpha * expm1_negative32(x)


def elu_slope(x, y, numbers):
    alpha, scale = numbers
    return scale if x > ZERO else y + scale * alpha


def gelu(x, numbers):
    return x * normal_probability32(x)


def gelu_slope(x, y, numbers):
    return normal_probability32(x) + x * GAUSS * exp32(-HALF * x * x)


@register_jitable
def _tanh(x):
    t = expm1_negative32(-TWO * abs(x))
    size = -t / (t + TWO)
    return -size if x < ZERO else size


def tanh(x, numbers):
    return _tanh(x)


def tanh_slope(x, y, numbers):
    return (ONE - y) * (ONE + y)


def gelu_tanh(x, numbers):
    return HALF * x * (ONE + _tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x)))


def gelu_tanh_slope(x, y, numbers):
    t = _tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x))
    inner = GELU_SCALE * (ONE + THREE_CUBES * x * x)
    return HALF * (ONE + t) + HALF * x * (ONE - t) * (ONE + t) * inner


@register_jitable
def _sigmoid(x):
    return ONE / (ONE + exp32(-x))


def sigmoid(x, numbers):
    return _sigmoid(x)


def sigmoid_slope(x, y, numbers):
    return y * (ONE - y)


@register_jitable
def _hard_sigmoid(x, half):
    if x <= -half:
        return ZERO
    return ONE if x >= half else (x + half) / (half + half)


@register_jitable
def _hard_sigmoid_slope(x, half):
    return ZERO if abs(x) >= half else ONE / (half + half)


def hard_sigmoid(x, numbers):
    return _hard_sigmoid(x, numbers[0])


def hard_sigmoid_slope(x, y, numbers):
    return _hard_sigmoid_slope(x, numbers[0])


def softplus(x, numbers):
    return (ZERO if x <= ZERO else x) + log1p_unit32(exp32(-abs(x)))


def softplus_slope(x, y, numbers):
    return _sigmoid(x)


def softsign(x, numbers):
    return x / (ONE + abs(x))


def softsign_slope(x, y, numbers):
    inverse = ONE / (ONE + abs(x))
    return inverse * inverse


def swish(x, numbers):
    return x * _sigmoid(x)


def swish_slope(x, y, numbers):
    s = _sigmoid(x)
    return s * (ONE + x * (ONE - s))


def hard_swish(x, numbers):
    return x * _hard_sigmoid(x, numbers[0])


def hard_swish_slope(x, y, numbers):
    return _hard_sigmoid(x, numbers[0]) + x * _hard_sigmoid_slope(x, numbers[0])


def exponential(x, numbers):
    return exp32(x)


def exponential_slope(x, y, numbers):
    return y


@register_jitable
def _mish_parts(x):
    """tanh(softplus(x)) and sigmoid(x), both rational in exp(x) = p / q, where the larger of p and q is 1."""
    e = exp32(-abs(x))
    p = ONE if x > ZERO else e
    q = e if x > ZERO else ONE
    above = p * (p + TWO * q)
    return above / (above + TWO * q * q), p / (p + q)


def mish(x, numbers):
    return x * _mish_parts(x)[0]


def mish_slope(x, y, numbers):
    t, s = _mish_parts(x)
    return t + x * (ONE - t) * (ONE + t) * s


def _loops(value, slope):
    """The compiled loops y = value(x), y = value(y) and dx = dy * slope(x, y) over blocks of flat arrays.

    Where x is y, LLVM would find in the first loop that they overlap, and go number by number.
    """
    value, slope = (register_jitable(forceinline=True)(formula) for formula in (value, slope))

    @kernel
    def forward(start, stop, x, numbers, y):
        part = slice(start * BLOCK, stop * BLOCK)
        x, y = x[part], y[part]
        for i in range(x.size):
            y[i] = value(x[i], numbers)

    @kernel
    def in_place(start, stop, numbers, y):
        y = y[start * BLOCK : stop * BLOCK]
        for i in range(y.size):
            y[i] = value(y[i], numbers)

    @kernel
    def backward(start, stop, x, y, dy, numbers, dx):
        part = slice(start * BLOCK, stop * BLOCK)
        x, y, dy, dx = x[part], y[part], dy[part], dx[part]
        for i in range(x.size):
            dx[i] = dy[i] * slope(x[i], y[i], numbers)

    return {"forward": forward, "in_place": in_place, "backward": backward}


LOOPS = {
    "linear": _loops(linear, linear_slope),
    "rectifier": _loops(rectifier, rectifier_slope),
    "elu": _loops(elu, elu_slope),
    "gelu": _loops(gelu, gelu_slope),
    "gelu_tanh": _loops(gelu_tanh, gelu_tanh_slope),
    "sigmoid": _loops(sigmoid, sigmoid_slope),
    "hard_sigmoid": _loops(hard_sigmoid, hard_sigmoid_slope),
    "tanh": _loops(tanh, tanh_slope),
    "softplus": _loops(softplus, softplus_slope),
    "softsign": _loops(softsign, softsign_slope),
    "swish": _loops(swish, swish_slope),
    "hard_swish": _loops(hard_swish, hard_swish_slope),
    "exponential": _loops(exponential, exponential_slope),
    "mish": _loops(mish, mish_slope),
}
LIGHT = {"linear", "rectifier", "hard_sigmoid", "softsign", "hard_swish"}  # as fast as memory


def _run(
    formula: str, loop: str, numbers: tuple[float, ...], inputs: tuple[np.ndarray, ...], output: np.ndarray
) -> np.ndarray:
    """Call a loop of a formula on flat arrays, with the numbers as float32."""
    work = output.size * (STREAMED if formula in LIGHT else 1)
    singles = tuple(np.float32(number) for number in numbers)
    parallel_for(LOOPS[formula][loop], -(-output.size // BLOCK), work, *map(flat, inputs), singles, output.reshape(-1))
    return output


def activation_forward_v2_vector(x: np.ndarray, formula: str, numbers: tuple[float, ...], y: np.ndarray) -> np.ndarray:
    """y = f(x)"""
    in_place = x.flags.c_contiguous and x.ctypes.data == y.ctypes.data
    return _run(formula, "in_place", numbers, (), y) if in_place else _run(formula, "forward", numbers, (x,), y)


def activation_backward_v2_vector(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, formula: str, numbers: tuple[float, ...], dx: np.ndarray
) -> np.ndarray:
    """dx = dy * f'(x)"""
    return _run(formula, "backward", numbers, (x, y, dy), dx)
