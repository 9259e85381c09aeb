"""Early stopping for fine-tuning: the weights of the best epoch, averaged ones where the optimizer averages."""

from typing import Any

import numpy as np

from minicnn.callbacks import Callback
from minicnn.callbacks.callback import Logs

FIGURE = "val_cross_entropy"


class BestEpoch(Callback):
    """Stops after `patience` epochs without a smaller loss, and gives the model the weights of its best epoch.

    Unlike EarlyStopping it counts what training began with as an epoch, so that fine-tuning which only does harm is
    undone whole, and it keeps the averaged weights, which are what was measured.
    """

    def __init__(self, patience: int, start: float):
        super().__init__()
        self.patience, self.start = patience, start  # the loss before the first epoch
        self.best, self.best_epoch, self._epoch = start, 0, 0  # 1 is the first; 0 what training began with
        self._weights: list[tuple[Any, np.ndarray]] = []

    def state(self) -> dict[str, Any]:
        return {"best": [self.best, self.best_epoch, self._epoch], "weights": [array for _, array in self._weights]}

    def load_state(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch, self._epoch = state["best"]
        self._weights = list(zip(self.model.weights, state["weights"], strict=True))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best, self.best_epoch, self._epoch = self.start, 0, 0
        self._remember()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch + 1
        loss = (logs or {})[FIGURE]
        if loss < self.best:
            self.best, self.best_epoch = loss, self._epoch
            self.model.optimizer.swap_averages()
            self._remember()
            self.model.optimizer.swap_averages()
        elif self._epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        for parameter, array in self._weights:
            parameter.assign(array)

    def _remember(self) -> None:
        self._weights = [(parameter, parameter.numpy().copy()) for parameter in self.model.weights]
