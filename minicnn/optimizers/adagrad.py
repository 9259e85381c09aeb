"""Adagrad: each element's step is divided by the root of the sum of all its squared gradients."""

from typing import Unpack

import numpy as np

from minicnn.arguments import number
from minicnn.kernels import optimizer_step
from minicnn.optimizers.averages import State, as_keras
from minicnn.optimizers.optimizer import Common, Optimizer, Step
from minicnn.schedules import LearningRateSchedule


class Adagrad(Optimizer):
    """s ← s + g²;  p ← p - r g / √(s + ε).

    Parameters
    ----------
    learning_rate : r, a number or a schedule
    initial_accumulator_value : s before the first step
    epsilon : ε, under the root
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, name : see
        `Optimizer`

    Source: Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning", 2011.

    Examples
    --------
    >>> from minicnn.optimizers import Adagrad
    >>> Adagrad(0.1).initial_accumulator_value
    0.1
    """

    arguments = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **common: Unpack[Common],
    ):
        super().__init__(learning_rate, weight_decay, **common)
        self.initial_accumulator_value = number(
            self.name, "initial_accumulator_value", initial_accumulator_value, "[0, inf)"
        )
        self.epsilon = number(self.name, "epsilon", epsilon, "(0, inf)")

    def new_state(self, parameter: np.ndarray) -> State:
        return {"accumulator": np.full_like(parameter, as_keras(self.initial_accumulator_value))}

    def update_step(self, parameter: np.ndarray, gradient: np.ndarray, state: State, step: Step) -> None:
        optimizer_step.adagrad_step(
            parameter,
            gradient,
            state["accumulator"],
            learning_rate=step.learning_rate,
            epsilon=self.epsilon,
            weight_decay=step.weight_decay,
        )
