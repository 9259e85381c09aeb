"""The state of each parameter, and the averages of the parameters among it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

State = dict[str, Any]  # arrays, on the device of their parameters
AVERAGE = "average"  # of a parameter, among the arrays of its state


@dataclass
class Slot:
    """The state of one parameter: its arrays, and the step of the optimizer at which they began at zero."""

    parameter: Any
    start: int
    arrays: State
    rate_factor: float = 1.0


class Averages:
    """What `use_ema` does: after each step, a ← m a + (1 - m) p for every parameter p."""

    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    iterations: int
    averaged: bool
    _slots: dict[int, Slot]

    def _move_averages(self) -> None:
        """The averages after a step, of all parameters that have state; then the parameters, where it is time."""
        for slot in self._slots.values():
            momentum = 0.0 if slot.start == self.iterations else as_keras(self.ema_momentum)
            if momentum == 1:
                continue  # which rounding below would move
            average, array = slot.arrays[AVERAGE], slot.parameter.array
            average -= array  # a ← m (a - p) + p: a step that has written parameters may not run out of memory
            average *= momentum
            average += array
        if self.ema_overwrite_frequency and (self.iterations + 1) % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values()

    def finalize_variable_values(self, var_list: Sequence[Any] | None = None) -> None:
        """With `use_ema`, give the parameters (those of `var_list`, or all) the values of their averages."""
        self.follow()
        if self.averaged:
            self.swap_averages()
        wanted = self._slots.keys() if var_list is None else {id(parameter) for parameter in var_list}
        for key, slot in self._slots.items() if self.use_ema else ():
            if key in wanted:
                slot.parameter.rewrite(slot.arrays[AVERAGE])

    def follow(self) -> None:
        """Bring the averages to where their parameters are."""
        raise NotImplementedError

    def swap_averages(self) -> None:
        """With `use_ema`, exchange the parameters and their averages; a second call changes them back."""
        self.follow()
        for slot in self._slots.values() if self.use_ema else ():
            kept = slot.parameter.array.copy()
            slot.parameter.assign(slot.arrays[AVERAGE])
            slot.arrays[AVERAGE][...] = kept
        self.averaged = self.use_ema and not self.averaged


def as_keras(constant: float) -> float:
    """The number as a step of Keras takes it: rounded to float32, for float64 parameters too.

    It makes no difference to float32 parameters; with it float64 steps equal Keras' to rounding.
    """
    return float(np.float32(constant))
