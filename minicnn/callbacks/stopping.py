"""Callbacks that end a training early."""

import math
from typing import Any

import numpy as np

from minicnn.callbacks.callback import Callback, Logs
from minicnn.callbacks.monitor import MonitorCallback

STATE = ("wait", "stopped_epoch", "best_epoch", "best", "best_weights")  # of EarlyStopping


class EarlyStopping(MonitorCallback):
    """Stops when the monitored figure has not become better for `patience` epochs.

    Parameters
    ----------
    monitor, min_delta, mode : see `MonitorCallback`
    patience : epochs without improvement that are tolerated
    verbose : 1 prints what is done
    baseline : only figures better than this count as improvement for `patience`
    restore_best_weights : at the end, give the model the weights of its best epoch
    start_from_epoch : epochs at the beginning that are not looked at

    Examples
    --------
    >>> from minicnn.callbacks import EarlyStopping
    >>> callback = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[np.ndarray] | None = None

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in STATE}

    def load_state(self, state: dict[str, Any]) -> None:
        for name in STATE:
            setattr(self, name, state[name])

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        current = self.current(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        improved = self.improves(current, self.best)
        if improved:
            self.best = current
            if self.baseline is None or self.improves(current, self.baseline):
                self.wait = 0
        if improved or (self.restore_best_weights and self.best_weights is None):
            self._remember(epoch)
        if not improved and self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = [np.array(weight) for weight in self.model.get_weights()]

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of epoch {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Stops as soon as the loss is NaN or infinite, and says so."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: the loss is {loss}; training stops")
            self.model.stop_training = True
