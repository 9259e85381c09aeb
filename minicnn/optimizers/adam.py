"""Adam, and AdamW, which is Adam with weight decay."""

from typing import Unpack

import numpy as np

from minicnn.arguments import number
from minicnn.kernels import optimizer_step
from minicnn.optimizers.optimizer import Common, Optimizer, State, Step
from minicnn.schedules import LearningRateSchedule


class Adam(Optimizer):
    """a ← β₁ a + (1-β₁) g;  s ← β₂ s + (1-β₂) g²;  p ← p - r √(1-β₂ᵗ) / (1-β₁ᵗ) · a / (√s + ε).

    Parameters
    ----------
    learning_rate : r, a number or a schedule
    beta_1, beta_2 : β₁ and β₂, how much of the mean and of the mean square is kept, from 0 to 0.999999
    epsilon : ε, added to the root (the "ε hat" of the paper)
    amsgrad : divide by the root of the largest s so far
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, name : see
        `Optimizer`

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, end of section 2; AMSGrad:
    Reddi et al., "On the Convergence of Adam and Beyond", 2018.

    Examples
    --------
    >>> from minicnn.optimizers import Adam
    >>> Adam(1e-4, clipnorm=1.0).learning_rate
    0.0001
    """

    arguments = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        **common: Unpack[Common],
    ):
        super().__init__(learning_rate, weight_decay, **common)
        self.beta_1 = number(self.name, "beta_1", beta_1, "[0, 0.999999]")
        self.beta_2 = number(self.name, "beta_2", beta_2, "[0, 0.999999]")
        self.epsilon = number(self.name, "epsilon", epsilon, "(0, inf)")
        self.amsgrad = bool(amsgrad)

    def new_state(self, parameter: np.ndarray) -> State:
        names = ("momentum", "velocity", "velocity_hat") if self.amsgrad else ("momentum", "velocity")
        return {name: np.zeros_like(parameter) for name in names}

    def update_step(self, parameter: np.ndarray, gradient: np.ndarray, state: State, step: Step) -> None:
        optimizer_step.adam_step(
            parameter,
            gradient,
            state["momentum"],
            state["velocity"],
            state.get("velocity_hat"),
            learning_rate=step.learning_rate,
            step=step.t,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            weight_decay=step.weight_decay,
        )


class AdamW(Adam):
    """p ← p - r d p, then Adam's step: the decay d does not pass through Adam's averages.

    Parameters
    ----------
    weight_decay : d; unlike the other optimizers', it is on by default and cannot be None
    learning_rate, beta_1, beta_2, epsilon, amsgrad : see `Adam`
    clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, name : see `Optimizer`

    Source: Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.

    Examples
    --------
    >>> from minicnn.optimizers import AdamW
    >>> AdamW(1e-3, weight_decay=0.01).weight_decay
    0.01
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Unpack[Common],
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, **common)
        number(self.name, "weight_decay", weight_decay, "[0, inf)")
