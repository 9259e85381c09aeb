"""MonitorCallback: watches one figure and knows when it has become better."""

import math
from collections.abc import Collection
from typing import Any

from minicnn.arguments import number, one_of
from minicnn.callbacks.callback import Callback, Logs
from minicnn.errors import ArgumentError
from minicnn.metrics import NAMES


class MonitorCallback(Callback):
    """Base of callbacks that act when a figure becomes better, or no longer does.

    Parameters
    ----------
    monitor : name of the figure in the logs, such as "val_loss"
    mode : "min", "max", or "auto": losses are better when lower, metrics in their own direction
    min_delta : a smaller change is none
    baseline : the best value to begin with; None takes the first
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0, baseline: float | None = None):
        super().__init__()
        self.monitor = monitor
        self.mode = one_of(type(self).__name__, "mode", mode, ("auto", "min", "max"))
        self.min_delta = number(type(self).__name__, "min_delta", abs(min_delta), "[0, inf)")
        self.best = baseline
        self._comes_and_goes = False

    def expect(self, figures: Collection[str], complete: bool) -> None:
        """Called by fit before training with the figures that it makes; `complete` where no callback can add others.

        Raises
        ------
        ArgumentError
            The monitored figure will never be there.
        """
        self._comes_and_goes = self.monitor.startswith("val_") and self.monitor in figures
        if complete and self.watches and self.monitor not in figures:
            raise self._missing(figures)

    @property
    def watches(self) -> bool:
        """Whether the figure is of any use to this callback."""
        return True

    def current(self, logs: Logs | None) -> float | None:
        """The figure now; None in an epoch without validation, where others have one.

        Raises
        ------
        ArgumentError
            There is no such figure; the message names those that there are.
        """
        logs = logs or {}
        if self.monitor in logs:
            return float(logs[self.monitor])
        if self._comes_and_goes:
            return None
        raise self._missing(logs)

    def _missing(self, figures: Collection[str]) -> ArgumentError:
        hint = "; pass validation data to fit" if self.monitor.startswith("val_") else ""
        return ArgumentError(
            f"{type(self).__name__}: there is no figure {self.monitor!r} to monitor; there are "
            f"{', '.join(figures) or 'none'}{hint}"
        )

    def improves(self, value: float, best: float | None) -> bool:
        """Whether `value` is better than `best` by more than min_delta; NaN is better than nothing."""
        if math.isnan(value):
            return False
        if best is None:
            return True
        return value < best - self.min_delta if self._direction() == "min" else value > best + self.min_delta

    def _direction(self) -> str:
        """ "min" or "max"."""
        if self.mode != "auto":
            return self.mode
        directions: dict[str, Any] = {name: kind.direction for name, kind in NAMES.items()} | {"loss": "down"}
        directions |= {m.name: m.direction for m in getattr(self.model, "metrics", None) or ()}
        figure = self.monitor.removeprefix("val_")  # models with several outputs put the output's name in front
        fits = [name for name in directions if figure == name or figure.endswith(f"_{name}")]
        direction = directions[max(fits, key=len)] if fits else None
        if direction is None:
            raise ArgumentError(
                f"{type(self).__name__}: whether {self.monitor!r} is better when higher or lower is not known; "
                "pass mode='max' or mode='min'"
            )
        return "min" if direction == "down" else "max"
