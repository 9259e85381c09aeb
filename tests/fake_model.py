"""A model without layers, for callbacks: one weight that counts epochs, and a `fit` that only calls hooks."""

from pathlib import Path
from typing import Any

import numpy as np

from minicnn.callbacks import CallbackList, History
from minicnn.metrics import Metric, get
from minicnn.optimizers import SGD


class FakeModel:
    """Its weight is 1 in the first epoch, 2 in the second; saving writes the weight as text."""

    def __init__(self, *metrics: str):
        self.optimizer = SGD(0.1)
        self.metrics: list[Metric] = [get(name) for name in metrics]
        self.stop_training = False
        self.weight = np.zeros(1)
        self.saved: list[str] = []

    def get_weights(self) -> list[np.ndarray]:
        return [self.weight]  # the live array: a callback that keeps it must copy

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weight[:] = weights[0]

    def save(self, path: Any) -> None:
        Path(path).write_text(f"model {self.weight[0]:g}")
        self.saved.append(Path(path).name)

    def save_weights(self, path: Any) -> None:
        Path(path).write_text(f"weights {self.weight[0]:g}")
        self.saved.append(Path(path).name)

    def fit(self, *callbacks: Any, batches: int = 1, **figures: list[Any]) -> History:
        """One epoch for each row of figures, which all batches of it see."""
        hooks = CallbackList(callbacks, add_history=True, model=self)
        assert hooks.history is not None
        hooks.on_train_begin({})
        logs: dict[str, Any] = {}
        for epoch, row in enumerate(zip(*figures.values())):
            hooks.on_epoch_begin(epoch, {})
            self.weight += 1
            logs = dict(zip(figures, row))
            for batch in range(batches):
                hooks.on_train_batch_begin(batch, {})
                hooks.on_train_batch_end(batch, dict(logs))
                if self.stop_training:
                    break
            hooks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        hooks.on_train_end(logs)
        return hooks.history
