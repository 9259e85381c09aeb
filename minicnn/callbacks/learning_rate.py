"""Callbacks that change the optimizer's learning rate from epoch to epoch."""

import inspect
from collections.abc import Callable
from typing import Any

from minicnn.arguments import number
from minicnn.callbacks.callback import Callback, Logs
from minicnn.callbacks.monitor import MonitorCallback


class LearningRateScheduler(Callback):
    """Before each epoch, sets the learning rate to schedule(epoch, learning rate), or schedule(epoch).

    Parameters
    ----------
    schedule : a function of the epoch, from 0, and of the rate so far if it takes two arguments
    verbose : 1 prints the rate

    Raises
    ------
    ArgumentError
        In training: the schedule returns something else than a number.

    Examples
    --------
    >>> from minicnn.callbacks import LearningRateScheduler
    >>> callback = LearningRateScheduler(lambda epoch, rate: rate if epoch < 10 else 0.9 * rate)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = len(inspect.signature(schedule).parameters) > 1

    def state(self) -> dict[str, Any]:
        return {}  # the optimizer has the rate, which must not be changed twice in an epoch

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, optimizer.learning_rate) if self._takes_rate else self.schedule(epoch)
        optimizer.learning_rate = number("LearningRateScheduler", "the schedule's rate", rate, "[0, inf)")
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {optimizer.learning_rate:g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        note_learning_rate(self.model, logs)


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when the monitored figure has stopped becoming better.

    Parameters
    ----------
    monitor, mode, min_delta : see `MonitorCallback`
    factor : from 0 to below 1
    patience : epochs without improvement before the rate falls
    verbose : 1 prints the new rate
    cooldown : epochs after a fall before waiting begins again
    min_lr : the rate does not fall below this

    Examples
    --------
    >>> from minicnn.callbacks import ReduceLROnPlateau
    >>> callback = ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.factor = number("ReduceLROnPlateau", "factor", factor, "[0, 1)")
        self.min_lr = number("ReduceLROnPlateau", "min_lr", min_lr, "[0, inf)")
        self.patience, self.cooldown, self.verbose = patience, cooldown, verbose
        self.wait = self.cooldown_counter = 0

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "wait": self.wait, "cooldown": self.cooldown_counter}

    def load_state(self, state: dict[str, Any]) -> None:
        self.best, self.wait, self.cooldown_counter = state["best"], state["wait"], state["cooldown"]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        current = self.current(logs)
        note_learning_rate(self.model, logs)
        if current is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current, self.best):
            self.best, self.wait = current, 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience and self.model.optimizer.learning_rate > self.min_lr:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate reduced to {optimizer.learning_rate:g}")


def note_learning_rate(model: object, logs: Logs | None) -> None:
    """Put the learning rate of the epoch among its figures."""
    if logs is not None:
        logs["learning_rate"] = model.optimizer.learning_rate  # pyright: ignore[reportAttributeAccessIssue]
