"""optimizer_step on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .._gpu.file import CudaFile, contiguous
from .._shapes import ceil_div
from .reference import adam_rate

FILE = CudaFile("optimizer_step/cuda.cu")


def optimizer_step_sgd_v1_fused(parameter: Any, gradient: Any, velocity: Any, *numbers: Any) -> None:
    """The SGD step in one pass."""
    _sgd("v1_fused", parameter, gradient, velocity, *numbers)


def optimizer_step_sgd_v2_vector(parameter: Any, gradient: Any, velocity: Any, *numbers: Any) -> None:
    """The SGD step, four numbers a thread."""
    _sgd("v2_vector", parameter, gradient, velocity, *numbers)


def _sgd(
    rung: str,
    parameter: Any,
    gradient: Any,
    velocity: Any,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> None:
    numbers = (learning_rate, momentum, learning_rate * weight_decay)
    _run("sgd", rung, (parameter, gradient, velocity), numbers, np.int32(nesterov))


def optimizer_step_rmsprop_v1_fused(parameter: Any, gradient: Any, square: Any, *rest: Any) -> None:
    """The RMSprop step in one pass."""
    _rmsprop("v1_fused", parameter, gradient, square, *rest)


def optimizer_step_rmsprop_v2_vector(parameter: Any, gradient: Any, square: Any, *rest: Any) -> None:
    """The RMSprop step, four numbers a thread."""
    _rmsprop("v2_vector", parameter, gradient, square, *rest)


def _rmsprop(
    rung: str,
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
    numbers = (learning_rate, rho, 1 - rho, momentum, epsilon, learning_rate * weight_decay)
    _run("rmsprop", rung, (parameter, gradient, square, mean, velocity), numbers)


def optimizer_step_adam_v1_fused(parameter: Any, gradient: Any, mean: Any, square: Any, *rest: Any) -> None:
    """The Adam step in one pass."""
    _adam("v1_fused", parameter, gradient, mean, square, *rest)


def optimizer_step_adam_v2_vector(parameter: Any, gradient: Any, mean: Any, square: Any, *rest: Any) -> None:
    """The Adam step, four numbers a thread."""
    _adam("v2_vector", parameter, gradient, mean, square, *rest)


def _adam(
    rung: str,
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
    rate = adam_rate(learning_rate, beta_1, beta_2, step)
    numbers = (rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2, epsilon, learning_rate * weight_decay)
    _run("adam", rung, (parameter, gradient, mean, square, largest), numbers)


def optimizer_step_adagrad_v1_fused(parameter: Any, gradient: Any, total: Any, *numbers: float) -> None:
    """The Adagrad step in one pass."""
    _adagrad("v1_fused", parameter, gradient, total, *numbers)


def optimizer_step_adagrad_v2_vector(parameter: Any, gradient: Any, total: Any, *numbers: float) -> None:
    """The Adagrad step, four numbers a thread."""
    _adagrad("v2_vector", parameter, gradient, total, *numbers)


def _adagrad(
    rung: str, parameter: Any, gradient: Any, total: Any, learning_rate: float, epsilon: float, weight_decay: float
) -> None:
    _run("adagrad", rung, (parameter, gradient, total), (learning_rate, epsilon, learning_rate * weight_decay))


def _run(name: str, rung: str, arrays: tuple[Any, ...], numbers: tuple[float, ...], *options: np.int32) -> None:
    """Launch a kernel on the parameter, its gradient and its states."""
    parameter, gradient, *states = arrays
    if not all(array is None or array.flags.c_contiguous for array in (parameter, *states)):
        raise UnsupportedError("optimizer_step on a GPU writes contiguous arrays only")
    count = parameter.size
    scalars = np.int64(count), *options, *map(np.float32, numbers)
    threads = ceil_div(count, 4) if rung == "v2_vector" else count
    FILE.each(parameter, f"optimizer_step_{name}_{rung}", threads, parameter, contiguous(gradient), *states, *scalars)
