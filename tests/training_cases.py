"""A small training with everything that has a state, and ways to stop it."""

from pathlib import Path
from typing import Any

import numpy as np

from minicnn.callbacks import BackupAndRestore, Callback, History
from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input
from minicnn.models import Sequential
from minicnn.optimizers import Adam
from minicnn.schedules import ExponentialDecay
from minicnn.utils import set_random_seed

GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((22, 5, 5, 2), np.float32)
Y = GENERATOR.integers(0, 3, 22)
STEPS = 5  # of an epoch
OPTIONS: dict[str, Any] = {"epochs": 3, "batch_size": 5, "validation_data": (X[:7], Y[:7]), "verbose": 0}


def make(
    optimizer: Any = None, metrics: Any = ("accuracy", "auc"), units: int = 3, dtype: str = "float32"
) -> Sequential:
    """The model as every process makes it: drawn anew from the same seed."""
    set_random_seed(1)
    layers = [
        Conv2D(4, 3, dtype=dtype),
        BatchNormalization(dtype=dtype),
        Dropout(0.3, dtype=dtype),
        Flatten(dtype=dtype),
    ]
    model = Sequential([Input((5, 5, 2), dtype=dtype), *layers, Dense(units, activation="softmax", dtype=dtype)])
    model.compile(optimizer or Adam(ExponentialDecay(0.01, 3, 0.9)), "sparse_categorical_crossentropy", list(metrics))
    return model


class Crash(RuntimeError):
    """The end of a process, as far as a test in one process can have it."""


class StopAt(Callback):
    """Raises Crash in a hook, after so many steps of its own."""

    def __init__(self, steps: int, hook: str = "on_train_batch_end"):
        super().__init__()
        self.steps, self.hook = steps, hook

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps -= 1
        self._crash("on_train_batch_end")

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._crash("on_test_batch_end")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._crash("on_epoch_end")

    def _crash(self, hook: str) -> None:
        if hook == self.hook and self.steps <= 0:
            raise Crash


def same(a: Any, b: Any) -> bool:
    """Whether two models have the same weights, bit for bit."""
    pairs = list(zip(a.get_weights(), b.get_weights(), strict=True))
    return all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs)


def fit(model: Any, folder: Any, *others: Any, stop: Any = None, save_freq: Any = 2, x: Any = X, y: Any = Y,
        backup: Any = None, **options: Any) -> History | None:  # fmt: skip
    """Train with checkpoints, until `stop` (steps, hook) if there is one; the history, or None if it was stopped."""
    last = [] if stop is None else [StopAt(*stop)]
    backup = backup or BackupAndRestore(folder, save_freq)
    try:
        return model.fit(x, y, callbacks=[backup, *others, *last], **{**OPTIONS, **options})
    except Crash:
        return None


def files(folder: Path) -> list[str]:
    """Names in a folder."""
    return sorted(path.name for path in folder.iterdir())
