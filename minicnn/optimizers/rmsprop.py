"""RMSprop: each element's step is divided by the root of its recent mean square gradient."""

from typing import Unpack

import numpy as np

from minicnn.arguments import number
from minicnn.kernels import optimizer_step
from minicnn.optimizers.optimizer import Common, Optimizer, State, Step
from minicnn.schedules import LearningRateSchedule


class RMSprop(Optimizer):
    """s ← ρ s + (1-ρ) g²;  u = r g / √(s + ε);  p ← p - u,  or with momentum  v ← m v + u,  p ← p - v.

    Parameters
    ----------
    learning_rate : r, a number or a schedule
    rho : ρ, how much of the mean square is kept, from 0 to below 1
    momentum : m, from 0 to 1; 0 keeps no velocity
    epsilon : ε, under the root
    centered : divide by the standard deviation of the gradient: a ← ρ a + (1-ρ) g, and s - a² under the root
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, name : see
        `Optimizer`

    Source: Tieleman & Hinton, "Neural Networks for Machine Learning", lecture 6.5, 2012.

    Examples
    --------
    >>> from minicnn.optimizers import RMSprop
    >>> RMSprop().learning_rate
    0.001
    """

    arguments = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        **common: Unpack[Common],
    ):
        super().__init__(learning_rate, weight_decay, **common)
        self.rho = number(self.name, "rho", rho, "[0, 1)")
        self.momentum = number(self.name, "momentum", momentum, "[0, 1]")
        self.epsilon = number(self.name, "epsilon", epsilon, "(0, inf)")
        self.centered = bool(centered)

    def new_state(self, parameter: np.ndarray) -> State:
        wanted = {"velocity": True, "momentum": self.momentum > 0, "average_gradient": self.centered}
        return {name: np.zeros_like(parameter) for name, used in wanted.items() if used}

    def update_step(self, parameter: np.ndarray, gradient: np.ndarray, state: State, step: Step) -> None:
        optimizer_step.rmsprop_step(
            parameter,
            gradient,
            state["velocity"],
            state.get("average_gradient"),
            state.get("momentum"),
            learning_rate=step.learning_rate,
            rho=self.rho,
            momentum=self.momentum,
            epsilon=self.epsilon,
            weight_decay=step.weight_decay,
        )
