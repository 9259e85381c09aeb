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


@kernel
def _sgd(start, stop, parameter, gradient, rate, momentum, decay):
    for i in range(start * BLOCK, min(stop * BLOCK, parameter.size)):
        parameter[i] -= decay * parameter[i] + rate * gradient[i]


@kernel
def _momentum(start, stop, parameter, gradient, velocity, rate, momentum, decay):
    for i in range(start * BLOCK, min(stop * BLOCK, parameter.size)):
        velocity[i] = momentum * velocity[i] - rate * gradient[i]
        parameter[i] += velocity[i] - decay * parameter[i]


@kernel
def _nesterov(start, stop, parameter, gradient, velocity, rate, momentum, decay):
    for i in range(start * BLOCK, min(stop * BLOCK, parameter.size)):
        change = rate * gradient[i]
        velocity[i] = momentum * velocity[i] - change
        parameter[i] += momentum * velocity[i] - change - decay * parameter[i]


@kernel
def _rmsprop(start, stop, parameter, gradient, square, mean, velocity, rate, keep, new, momentum, epsilon, decay):
    centered, moving = mean.size > 0, velocity.size > 0
    for i in range(start * BLOCK, min(stop * BLOCK, parameter.size)):
        square[i] = keep * square[i] + new * gradient[i] * gradient[i]
        variance = square[i]
        if centered:
            mean[i] = keep * mean[i] + new * gradient[i]
            variance = np.maximum(variance - mean[i] * mean[i], ZERO)
        change = rate * gradient[i] / np.sqrt(variance + epsilon)
        if moving:
            velocity[i] = momentum * velocity[i] + change
            change = velocity[i]
        parameter[i] -= decay * parameter[i] + change


@helper
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
    for i in range(start * BLOCK, min(stop * BLOCK, parameter.size)):
        mean[i] = keep_1 * mean[i] + new_1 * gradient[i]
        square[i] = keep_2 * square[i] + new_2 * gradient[i] * gradient[i]
        size = square[i]
        if amsgrad:
            largest[i] = np.maximum(largest[i], size)
            size = largest[i]
        parameter[i] -= decay * parameter[i] + rate * mean[i] / (np.sqrt(size) + epsilon)


@kernel
def _adagrad(start, stop, parameter, gradient, total, rate, epsilon, decay):
    for i in range(start * BLOCK, min(stop * BLOCK, parameter.size)):
        total[i] += gradient[i] * gradient[i]
        parameter[i] -= decay * parameter[i] + rate * gradient[i] / np.sqrt(total[i] + epsilon)
