"""What a plan runs, for one batch size: kernels bound to their buffers, and other operations one by one.

A kernel whose arrays always lie at the same place is captured: its arguments are checked and laid out once, and from
then on it is an entry in a list that compiled code runs through, without Python between the layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Parameter
from minicnn.errors import UnsupportedError
from minicnn.ops.activation import Activation
from minicnn.ops.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from minicnn.ops.dense import Dense
from minicnn.ops.pool import AvgPool2D, MaxPool2D

from .memory import Memory
from .trace import Instruction, Value

KERNELS = {
    Conv2D: kernels.conv2d.forward,
    DepthwiseConv2D: kernels.depthwise_conv2d.forward,
    Conv2DTranspose: kernels.conv2d_transpose.forward,
    Dense: kernels.dense.forward,
    MaxPool2D: kernels.maxpool2d.forward,
    AvgPool2D: kernels.avgpool2d.forward,
    Activation: kernels.activation.forward,
}


class Steps:
    """The instructions of a plan, with memory for one batch size, ready to run."""

    def __init__(self, instructions: list[Instruction], outputs: list[Any], weights: dict[int, list[Any]], batch: int):
        lasting = {id(item) for item in instructions if item.function in KERNELS and item.output.batched}
        self.instructions, self.weights = instructions, weights
        self.memory = Memory(instructions, outputs, lasting, batch)
        self.fixed: dict[int, np.ndarray] = {}  # results that always lie at the same place
        self.steps: list[Instruction | _Captured] = []
        for item in instructions:
            self._add(item)

    def _add(self, item: Instruction) -> None:
        out = self.memory.of.get(id(item.output))
        sources = item.values() + [v for v in [item.options.get("residual")] if isinstance(v, Value)]
        known = all(id(v) in self.fixed and self.fixed[id(v)].flags.c_contiguous for v in sources)
        if known and sources and item.function.is_view:
            view = self._execute(item, self.fixed, None)
            if np.may_share_memory(view, self.fixed[id(sources[0])]):
                self.fixed[id(item.output)] = view
                return
        captured = self._captured(item, out) if known and out is not None else None
        if out is not None:
            self.fixed[id(item.output)] = out
        last = self.steps[-1] if self.steps else None
        if captured and isinstance(last, _Captured):
            last.append(captured)
        else:
            self.steps.append(captured or item)

    def _captured(self, item: Instruction, out: np.ndarray) -> _Captured | None:
        """An instruction bound to its arrays; None where its kernel cannot be."""
        try:
            with kernels.record() as calls, kernels.capture() as jobs:
                self._execute(item, self.fixed, out)
        except UnsupportedError:
            return None
        return _Captured(jobs, calls)

    def run(self, inputs: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        """The results, by the id of their Value, for inputs given by the id of theirs."""
        values = {**self.fixed, **inputs}
        forced = kernels.rungs_are_forced()
        for step in self.instructions if forced else self.steps:
            if isinstance(step, _Captured):
                step.run()
                continue
            values[id(step.output)] = self._execute(step, values, self.memory.of.get(id(step.output)))
            for spent in self.memory.spent[id(step)]:
                if spent not in self.fixed:
                    values.pop(spent, None)
        return values

    def _execute(self, item: Instruction, values: dict[int, np.ndarray], out: np.ndarray | None) -> np.ndarray:
        """The result of one instruction."""
        inputs = [_operand(value, values) for value in item.inputs]
        if item.function not in KERNELS:
            result = item.function.forward(_FORGETFUL, *inputs, **item.options)
            return result[0] if isinstance(result, tuple) else result
        options = item.options
        if "residual" in options:
            options = {**options, "residual": _operand(options["residual"], values)}
        if id(item) in self.weights:
            inputs = [inputs[0], *self.weights[id(item)]]
        return KERNELS[item.function](*inputs, **options, out=out)


class _Captured:
    """Kernels that follow each other, bound to their arrays."""

    def __init__(self, jobs: kernels.Jobs, calls: list[kernels.Call]):
        self.jobs, self.calls = jobs, calls

    def append(self, other: _Captured) -> None:
        """Run what `other` runs too, after this."""
        self.jobs.extend(other.jobs)
        self.calls += other.calls

    def run(self) -> None:
        kernels.note_calls(self.calls)
        self.jobs.run()


def _operand(value: Any, values: dict[int, np.ndarray]) -> Any:
    if isinstance(value, Value):
        return values[id(value)]
    return value.array if isinstance(value, Parameter) else value


class _Forgetful(Context):
    """A context that keeps nothing: there is no backward pass."""

    def save(self, *values: Any) -> None:
        pass


_FORGETFUL = _Forgetful((False,) * 8, {})
