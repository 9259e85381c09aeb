"""Stochastic gradient descent, with momentum."""

from typing import Unpack

import numpy as np

from minicnn.arguments import number
from minicnn.kernels import optimizer_step
from minicnn.optimizers.averages import State, as_keras
from minicnn.optimizers.optimizer import Common, Optimizer, Step
from minicnn.schedules import LearningRateSchedule


class SGD(Optimizer):
    """p ← p - r g;  with momentum  v ← m v - r g,  p ← p + v;  with Nesterov's look-ahead  p ← p + m v - r g.

    Parameters
    ----------
    learning_rate : r, a number or a schedule
    momentum : m, from 0 to 1; 0 keeps no velocity
    nesterov : whether to look ahead along the velocity; without momentum it changes nothing
    weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, name : see
        `Optimizer`

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Examples
    --------
    >>> from minicnn.optimizers import SGD
    >>> SGD(0.1, momentum=0.9).get_config()["momentum"]
    0.9
    """

    arguments = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        **common: Unpack[Common],
    ):
        super().__init__(learning_rate, weight_decay, **common)
        self.momentum = number(self.name, "momentum", momentum, "[0, 1]")
        self.nesterov = bool(nesterov)

    def new_state(self, parameter: np.ndarray) -> State:
        return {"momentum": np.zeros_like(parameter)} if self.momentum else {}

    def update_step(self, parameter: np.ndarray, gradient: np.ndarray, state: State, step: Step) -> None:
        optimizer_step.sgd_step(
            parameter,
            gradient,
            state.get("momentum"),
            learning_rate=step.learning_rate,
            momentum=as_keras(self.momentum),
            nesterov=self.nesterov,
            weight_decay=step.weight_decay,
        )
