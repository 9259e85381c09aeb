"""Where a training is."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Position:
    """How far a call of fit has come.

    Attributes
    ----------
    epoch : the one that it is in, from 0, or that comes next
    step : steps done in it
    total, samples : Σ loss · n over these steps and Σ n, n being the samples of a step
    steps : done in all
    logs : the figures of the last whole epoch
    over : a callback, or the end of a generator, has ended the training
    """

    epoch: int = 0
    step: int = 0
    total: float = 0.0
    samples: int = 0
    steps: int = 0
    logs: dict[str, Any] = field(default_factory=dict)
    over: bool = False

    def add(self, loss: float, samples: int) -> None:
        """Count a step."""
        self.total += loss * samples
        self.samples += samples
        self.step += 1
        self.steps += 1

    def next_epoch(self, logs: dict[str, Any]) -> None:
        """Go to the beginning of the next epoch; `logs` are the figures of this one."""
        self.epoch, self.step, self.total, self.samples = self.epoch + 1, 0, 0.0, 0
        self.logs = logs
