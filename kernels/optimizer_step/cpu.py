"""v1_fused: every step in one pass, each element of the parameter, gradient and state read and written once.

The work is bound by memory.  NumPy's formula passes over the arrays once for every operation and makes
temporaries of the parameter's size; here a value stays in a register from its first use to its last.

Arrays are flat and cut into blocks of BLOCK elements for the threads; an absent state is an empty array.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._arrays import operand
from .._jit import helper, kernel
from .._threads import parallel_for
from .reference import adam_rate

Array = np.ndarray
BLOCK = 8192
ABSENT = np.empty(0, np.float32)
ZERO = np.float32(0)


def optimizer_step_sgd_v1_fused(
    parameter: Array,
    gradient: Array,
    velocity: Array | None,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> None:
    """The SGD step in one pass."""
    scalars = (learning_rate, momentum, learning_rate * weight_decay)
    if velocity is None:
        _run(_sgd, (parameter, gradient), scalars)
    else:
        _run(_nesterov if nesterov else _momentum, (parameter, gradient, velocity), scalars)


def optimizer_step_rmsprop_v1_fused(
    parameter: Array,
    gradient: Array,
    square: Array,
    mean: Array | None,
    velocity: Array | None,
    learning_rate: float,
    rho: float,
    momentum: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    """The RMSprop step in one pass."""
    scalars = (learning_rate, rho, 1 - rho, momentum, epsilon, learning_rate * weight_decay)
    _run(_rmsprop, (parameter, gradient, square, mean, velocity), scalars)


def optimizer_step_adam_v1_fused(
    parameter: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    largest: Array | None,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
    step: int,
) -> None:
    """The Adam step in one pass."""
    rate = adam_rate(learning_rate, beta_1, beta_2, step)
    scalars = (rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2, epsilon, learning_rate * weight_decay)
    _run(_adam, (parameter, gradient, mean, square, largest), scalars)


def optimizer_step_adagrad_v1_fused(
    parameter: Array, gradient: Array, total: Array, learning_rate: float, epsilon: float, weight_decay: float
) -> None:
    """The Adagrad step in one pass."""
    _run(_adagrad, (parameter, gradient, total), (learning_rate, epsilon, learning_rate * weight_decay))


def _run(kernel: Callable[..., None], arrays: Sequence[Any], scalars: Sequence[float]) -> None:
    """Call `kernel(start, stop, *flat arrays, *float32 scalars)` over all blocks."""
    parameter, gradient, *states = arrays
    if not all(a is None or a.flags.c_contiguous for a in (parameter, *states)):
        raise UnsupportedError("optimizer_step v1_fused writes contiguous arrays only; use rung 'reference'")
    arrays = (parameter, operand(gradient), *states)
    flat = (ABSENT if array is None else array.reshape(-1) for array in arrays)
    size = parameter.size
    parallel_for(kernel, -(-size // BLOCK), size, *flat, *(np.float32(value) for value in scalars))


@helper
def _block(array, k):
    """Part k of an array.  Its indices begin at 0: LLVM makes vectors of a loop whose index cannot be negative."""
    return array[k * BLOCK : (k + 1) * BLOCK]


@helper
def _shrinkage(w, decay):
    """r d p, and 0 without weight decay: an infinite parameter stays infinite, as 0 · ∞ is no number."""
    return decay * w if decay != ZERO else ZERO


@kernel
def _sgd(start, stop, parameter, gradient, rate, momentum, decay):
    for k in range(start, stop):
        w, g = _block(parameter, k), _block(gradient, k)
        for i in range(w.size):
            w[i] -= _shrinkage(w[i], decay) + rate * g[i]


@kernel
def _momentum(start, stop, parameter, gradient, velocity, rate, momentum, decay):
    for k in range(start, stop):
        w, g, v = _block(parameter, k), _block(gradient, k), _block(velocity, k)
        for i in range(w.size):
            v[i] = momentum * v[i] - rate * g[i]
            w[i] += v[i] - _shrinkage(w[i], decay)


@kernel
def _nesterov(start, stop, parameter, gradient, velocity, rate, momentum, decay):
    for k in range(start, stop):
        w, g, v = _block(parameter, k), _block(gradient, k), _block(velocity, k)
        for i in range(w.size):
            change = rate * g[i]
            v[i] = momentum * v[i] - change
            w[i] += momentum * v[i] - change - _shrinkage(w[i], decay)


@kernel
def _rmsprop(start, stop, parameter, gradient, square, mean, velocity, rate, keep, new, momentum, epsilon, decay):
    centered, moving = mean.size > 0, velocity.size > 0
    for k in range(start, stop):
        w, g, s = _block(parameter, k), _block(gradient, k), _block(square, k)
        m, v = _block(mean, k), _block(velocity, k)
        for i in range(w.size):
            s[i] = keep * s[i] + new * g[i] * g[i]
            variance = s[i]
            if centered:
                m[i] = keep * m[i] + new * g[i]
                variance = np.maximum(variance - m[i] * m[i], ZERO)
            change = rate * g[i] / np.sqrt(variance + epsilon)
            if moving:
                v[i] = momentum * v[i] + change
                change = v[i]
            w[i] -= _shrinkage(w[i], decay) + change


@kernel
def _adam(
    start,
    stop,
    parameter,
    gradient,
    mean,
    square,
    largest,
    rate,
    keep_1,
    new_1,
    keep_2,
    new_2,
    epsilon,
    decay,
):
    amsgrad = largest.size > 0
    for k in range(start, stop):
        w, g, m, s = _block(parameter, k), _block(gradient, k), _block(mean, k), _block(square, k)
        for i in range(w.size):
            m[i] = keep_1 * m[i] + new_1 * g[i]
            s[i] = keep_2 * s[i] + new_2 * g[i] * g[i]
        if amsgrad:
            t = _block(largest, k)
            for i in range(w.size):
                t[i] = np.maximum(t[i], s[i])
            s = t
        for i in range(w.size):  # loops of few arrays each: LLVM gives up on proving that many arrays do not overlap
            w[i] -= _shrinkage(w[i], decay) + rate * m[i] / (np.sqrt(s[i]) + epsilon)


@kernel
def _adagrad(start, stop, parameter, gradient, total, rate, epsilon, decay):
    for k in range(start, stop):
        w, g, t = _block(parameter, k), _block(gradient, k), _block(total, k)
        for i in range(w.size):
            t[i] += g[i] * g[i]
            w[i] -= _shrinkage(w[i], decay) + rate * g[i] / np.sqrt(t[i] + epsilon)
