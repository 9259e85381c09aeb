"""What a plan runs, for one batch size: kernels bound to their buffers, and other operations one by one.

A kernel whose arrays always lie at the same place is captured: its arguments are checked and laid out once, and from
then on it is an entry in a list that compiled code runs through, without Python between the layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context
from minicnn.autograd.arithmetic import Add, Multiply
from minicnn.errors import UnsupportedError
from minicnn.ops.activation import Activation, Softmax
from minicnn.ops.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from minicnn.ops.dense import Dense
from minicnn.ops.norm import BatchNormInfer, LayerNorm
from minicnn.ops.pool import AvgPool2D, GlobalAvgPool2D, MaxPool2D
from minicnn.ops.shape import Concatenate

from .memory import Memory, host_room
from .stripes import chains, scratch_bytes, stripes
from .trace import Instruction, Value, array_of


def _concatenate(*arrays: np.ndarray, axis: int, out: np.ndarray | None) -> np.ndarray:
    return kernels.concatenate.forward(arrays, axis, out=out)


KERNELS = {
    Conv2D: kernels.conv2d.forward,
    DepthwiseConv2D: kernels.depthwise_conv2d.forward,
    Conv2DTranspose: kernels.conv2d_transpose.forward,
    Dense: kernels.dense.forward,
    MaxPool2D: kernels.maxpool2d.forward,
    AvgPool2D: kernels.avgpool2d.forward,
    GlobalAvgPool2D: kernels.global_avgpool2d.forward,
    Activation: kernels.activation.forward,
    Softmax: kernels.softmax.forward,
    BatchNormInfer: kernels.batchnorm.forward_infer,
    Concatenate: _concatenate,
    Add: kernels.elementwise.add,
    Multiply: kernels.elementwise.multiply,
    LayerNorm: lambda *operands, **options: kernels.layernorm.forward(*operands, **options)[0],
}


class Steps:
    """Instructions with memory for one batch size, ready to run: `inputs` is where their inputs are to be written."""

    def __init__(
        self,
        inputs: list[Value],
        instructions: list[Instruction],
        outputs: list[Any],
        weights: dict[int, list[Any]],
        batch: int,
    ):
        grouped = list(chains(instructions, outputs, weights)) if batch == 1 else [[item] for item in instructions]
        last = [chain[-1] for chain in grouped]
        lasting = {id(item) for item in last if item.function in KERNELS and item.output.rows}
        self.outputs, self.weights = outputs, weights
        self.memory = Memory(inputs, grouped, outputs, lasting, batch)
        self.fixed = {id(value): self.memory.of[id(value)] for value in inputs}  # what always lies at the same place
        self.inputs = list(self.fixed.values())
        self.scratch = [host_room(size) for size in [scratch_bytes(grouped, weights)] * 2]
        self.steps: list[Instruction | _Captured] = []
        for chain in grouped:
            self._add(chain)

    def _add(self, chain: list[Instruction]) -> None:
        item = chain[-1]
        out = self.memory.of.get(id(item.output))
        made = {id(link.output) for link in chain}
        sources = [value for link in chain for value in link.values() if id(value) not in made]
        known = all(id(v) in self.fixed and self.fixed[id(v)].flags.c_contiguous for v in sources)
        if known and sources and item.function.is_view:
            view = execute(item, self.fixed, self.weights)
            if np.may_share_memory(view, self.fixed[id(sources[0])]):
                self.fixed[id(item.output)] = view
                return
        captured = self._captured(chain, out) if known and out is not None else None
        if out is not None:
            self.fixed[id(item.output)] = out
        last = self.steps[-1] if self.steps else None
        if captured and isinstance(last, _Captured):
            last.append(captured)
        else:
            self.steps += [captured] if captured else chain

    def _captured(self, chain: list[Instruction], out: np.ndarray) -> _Captured | None:
        """Instructions bound to their arrays; None where a kernel cannot be."""
        try:
            with kernels.unrecorded(), kernels.record() as calls, kernels.capture() as jobs:
                if len(chain) == 1:
                    execute(chain[0], self.fixed, self.weights, out)
                else:
                    self._execute_stripes(chain, out)
        except UnsupportedError:
            return None
        return _Captured(jobs, calls)

    def _execute_stripes(self, chain: list[Instruction], out: np.ndarray) -> None:
        """A chain, a few rows at a time; what lies between its instructions is in one of two scratch arrays."""
        for parts in stripes(chain, self.weights):
            x, first = self.fixed[id(chain[0].inputs[0])], 0
            for position, part in enumerate(parts):
                x = x[:, part.input_rows.start - first : part.input_rows.stop - first]
                rows, first = slice(part.rows.start, part.rows.stop), part.rows.start
                shape = (1, len(part.rows), *part.item.output.shape[2:])
                y = out[:, rows]
                if part is not parts[-1]:
                    y = np.ndarray(shape, out.dtype, self.scratch[position % 2])
                values = {id(value): self.fixed[id(value)][:, rows] for value in part.item.values()[1:]}
                options = part.options
                if "residual" in options:  # which may be the input too, of which other rows are needed
                    options = {**options, "residual": values[id(options["residual"])]}
                x = execute(part.item, {**values, id(part.item.inputs[0]): x}, self.weights, y, options)

    def run(self) -> list[np.ndarray]:
        """The outputs, which the next run may overwrite."""
        values = dict(self.fixed)
        for step in self.steps:
            if isinstance(step, _Captured):
                step.run()
                continue
            values[id(step.output)] = execute(step, values, self.weights, self.memory.of.get(id(step.output)))
            for spent in self.memory.spent[id(step)]:
                if spent not in self.fixed:
                    values.pop(spent, None)
        return [operand(value, values) for value in self.outputs]


def execute(
    item: Instruction,
    values: dict[int, Any],
    weights: dict[int, list[Any]],
    out: Any = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """The result of one instruction, with its own options or others."""
    options = item.options if options is None else options
    inputs = [operand(value, values) for value in item.inputs]
    if item.function not in KERNELS:
        found = item.function.forward(_FORGETFUL, *kernels.together(inputs), **options)
        result = found[0] if isinstance(found, tuple) else found
        return np.asarray(result) if isinstance(result, np.generic) else result
    if "residual" in options:
        options = {**options, "residual": operand(options["residual"], values)}
    inputs = [inputs[0], *weights[id(item)]] if id(item) in weights else kernels.together(inputs)
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


def operand(value: Any, values: dict[int, np.ndarray]) -> Any:
    """The array of an instruction's input."""
    if isinstance(value, Value):
        return values[id(value)]
    return array_of(value)


class _Forgetful(Context):
    """A context that keeps nothing: there is no backward pass."""

    def save(self, *values: Any) -> None:
        pass


_FORGETFUL = _Forgetful((False,) * 8, {})
