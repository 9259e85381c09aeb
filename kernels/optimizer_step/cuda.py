"""optimizer_step on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._cuda_file import CudaFile, contiguous
from .reference import adam_rate

FILE = CudaFile("optimizer_step/cuda.cu")


def optimizer_step_sgd_v1_fused(
    parameter: Any,
    gradient: Any,
    velocity: Any,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> None:
    """The SGD step in one pass."""
    numbers = (learning_rate, momentum, learning_rate * weight_decay)
    _run("optimizer_step_sgd_v1_fused", (parameter, gradient, velocity), numbers, np.int32(nesterov))


def optimizer_step_rmsprop_v1_fused(
    parameter: Any,
    gradient: Any,
    square: Any,
    mean: Any,
    velocity: Any,
    learning_rate: float,
    rho: float,
    momentum: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    """The RMSprop step in one pass."""
    numbers = (learning_rate, rho, 1 - rho, momentum, epsilon, learning_rate * weight_decay)
    _run("optimizer_step_rmsprop_v1_fused", (parameter, gradient, square, mean, velocity), numbers)


def optimizer_step_adam_v1_fused(
    parameter: Any,
    gradient: Any,
    mean: Any,
    square: Any,
    largest: Any,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
    step: int,
) -> None:
    """The Adam step in one pass."""
    rate = adam_rate(learning_rate, beta_1, beta_2, step)
    numbers = (rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2, epsilon, learning_rate * weight_decay)
    _run("optimizer_step_adam_v1_fused", (parameter, gradient, mean, square, largest), numbers)


def optimizer_step_adagrad_v1_fused(
    parameter: Any, gradient: Any, total: Any, learning_rate: float, epsilon: float, weight_decay: float
) -> None:
    """The Adagrad step in one pass."""
    numbers = (learning_rate, epsilon, learning_rate * weight_decay)
    _run("optimizer_step_adagrad_v1_fused", (parameter, gradient, total), numbers)


def _run(kernel: str, arrays: tuple[Any, ...], numbers: tuple[float, ...], *options: np.int32) -> None:
    """Launch a kernel on the parameter, its gradient and its states."""
    parameter, gradient, *states = arrays
    if not all(array is None or array.flags.c_contiguous for array in (parameter, *states)):
        raise UnsupportedError("optimizer_step on a GPU writes contiguous arrays only")
    scalars = np.int64(parameter.size), *options, *map(np.float32, numbers)
    FILE.each(parameter, kernel, parameter.size, parameter, contiguous(gradient), *states, *scalars)
