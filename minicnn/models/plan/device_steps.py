"""What a plan runs on a device, for one batch size: kernels on buffers that stay where they are.

The first batch runs operation by operation.  The second is captured: what it launches is noted, and then all of it is
launched at once, for this batch and every one that follows.  A small network's time on a GPU is that of its launches.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.errors import UnsupportedError

from .memory import Memory
from .steps import KERNELS, execute, operand
from .trace import Instruction, Value


class DeviceSteps:
    """Instructions with memory for one batch size on a device, ready to run; `ready` is the mark that weights are."""

    def __init__(
        self,
        inputs: list[Value],
        instructions: list[Instruction],
        outputs: list[Any],
        weights: dict[int, list[Any]],
        batch: int,
        device: kernels.Device,
        ready: Any,
    ):
        self.inputs, self.instructions, self.outputs, self.weights = inputs, instructions, outputs, weights
        self.device, self.forced = device, kernels.forced_rungs()
        lasting = {id(item) for item in instructions if item.function in KERNELS and item.output.rows}
        chains = [[item] for item in instructions]
        self.memory = Memory(inputs, chains, outputs, lasting, batch, partial(device.xp.empty, dtype=np.uint8))
        self._runs = 0
        self._replay: Callable[[], None] | None = None
        self._results: list[Any] = []
        self._calls: list[kernels.Call] = []
        self._done = ready  # when the weights are; later the end of the last run, which may be another thread's

    def run(self, arrays: list[Any]) -> list[Any]:
        """The outputs for input arrays, on the device; they belong to the caller."""
        self.device.after(self._done)
        results = [array.copy() for array in self._run(arrays)]
        self._done = self.device.mark()
        return results

    def _run(self, arrays: list[Any]) -> list[Any]:
        for value, array in zip(self.inputs, arrays):
            self.device.write(self.memory.of[id(value)], array)
        self._runs += 1
        if self._runs == 2:
            self._capture()
        if self._replay is not None:
            self._replay()
            kernels.note_calls(self._calls)
            return self._results
        return self._execute()

    def _capture(self) -> None:
        """Note all launches of a run; they stay one by one where one waits for the device, or memory is short."""
        try:
            with kernels.unrecorded(), kernels.record() as calls:
                self._results, self._replay = self.device.capture(self._execute)
        except (UnsupportedError, MemoryError):
            return
        self._calls = calls

    def _execute(self) -> list[Any]:
        values: dict[int, Any] = {id(value): self.memory.of[id(value)] for value in self.inputs}
        for item in self.instructions:
            values[id(item.output)] = execute(item, values, self.weights, self.memory.of.get(id(item.output)))
            for spent in self.memory.spent[id(item)]:
                values.pop(spent, None)
        return [operand(value, values) for value in self.outputs]
