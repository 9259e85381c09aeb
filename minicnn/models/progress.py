"""What fit, evaluate and predict print: a bar on a terminal, and one plain line an epoch or a call."""

from __future__ import annotations

import sys
import time
from typing import Any

from minicnn.arguments import one_of
from minicnn.callbacks import Callback, CallbackList


class _Progress(Callback):
    """Prints the course of batches to standard output.

    Parameters
    ----------
    verbose : "auto" or 1: a bar on a terminal that has tqdm, else plain lines; 2: plain lines
    steps : number of batches, where it is known
    """

    def __init__(self, verbose: int | str, steps: int | None):
        super().__init__()
        self.steps = steps
        self.bar_class = _tqdm() if verbose in ("auto", 1) and sys.stdout.isatty() else None
        self.bar: Any = None
        self.title, self.started = "", 0.0

    def begin(self, title: str) -> None:
        self.title, self.started = title, time.perf_counter()
        if self.bar_class is not None:
            self.bar = self.bar_class(total=self.steps, desc=title, unit="batch", leave=False, file=sys.stdout)

    def advance(self, logs: dict[str, Any] | None) -> None:
        if self.bar is not None:
            figures = {k: f"{v:.4f}" for k, v in (logs or {}).items() if isinstance(v, float)}
            self.bar.set_postfix(figures, refresh=False)
            self.bar.update()

    def end(self, result: str) -> None:
        if self.bar is not None:
            self.bar.close()
        print(f"{self.title}  {time.perf_counter() - self.started:.1f} s  {result}", flush=True)


class TrainingProgress(_Progress):
    """Prints the epochs of fit."""

    def __init__(self, verbose: int | str, steps: int | None, epochs: int):
        super().__init__(verbose, steps)
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.begin(f"epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.advance(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.end(format_logs(logs or {}))


class EvaluationProgress(_Progress):
    """Prints one call of evaluate."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.begin("evaluate")

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.advance(logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self.end(format_logs(logs or {}))


class PredictionProgress(_Progress):
    """Prints one call of predict."""

    samples = 0

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.begin("predict")

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        outputs = (logs or {})["outputs"]
        self.samples += len(outputs[0] if isinstance(outputs, list) else outputs)
        self.advance(None)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self.end(f"{self.samples} samples")


def watched(model: Any, callbacks: Any, progress: _Progress, verbose: int | str, **params: Any) -> CallbackList:
    """A user's callbacks for a model, and what prints the progress after them."""
    shown = [progress] if verbose else []
    params["verbose"] = 1 if verbose == "auto" else verbose
    return CallbackList([*CallbackList(callbacks).callbacks, *shown], model=model, **params)


def checked_verbose(owner: str, verbose: Any) -> int | str:
    """ "auto", 0, 1 or 2."""
    return one_of(owner, "verbose", verbose, ("auto", 0, 1, 2))


def format_logs(logs: dict[str, Any]) -> str:
    """ "loss 0.1234  accuracy 0.9876" """
    return "  ".join(f"{name} {value:.4g}" for name, value in logs.items() if isinstance(value, (int, float)))


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm
