"""What fit prints: a bar on a terminal, one plain line an epoch otherwise."""

from __future__ import annotations

import sys
import time
from typing import Any

from minicnn.callbacks import Callback


class Progress(Callback):
    """Prints the course of training to standard output.

    Parameters
    ----------
    verbose : "auto" or 1: a bar on a terminal that has tqdm, else plain lines; 2: plain lines
    """

    def __init__(self, verbose: int | str, epochs: int, steps: int | None):
        super().__init__()
        self.epochs, self.steps = epochs, steps
        self.bar_class = _tqdm() if verbose in ("auto", 1) and sys.stdout.isatty() else None
        self.bar: Any = None
        self.started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.started = time.perf_counter()
        if self.bar_class is not None:
            title = f"epoch {epoch + 1}/{self.epochs}"
            self.bar = self.bar_class(total=self.steps, desc=title, unit="batch", leave=False, file=sys.stdout)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.bar is not None:
            self.bar.set_postfix({k: f"{v:.4f}" for k, v in (logs or {}).items()}, refresh=False)
            self.bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.bar is not None:
            self.bar.close()
        seconds = time.perf_counter() - self.started
        print(f"epoch {epoch + 1}/{self.epochs}  {seconds:.1f} s  {format_logs(logs or {})}", flush=True)


def format_logs(logs: dict[str, Any]) -> str:
    """ "loss 0.1234  accuracy 0.9876" """
    return "  ".join(f"{name} {value:.4g}" for name, value in logs.items() if isinstance(value, (int, float)))


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm
