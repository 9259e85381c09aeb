"""Trace: the operations of a program, recorded by running it once on an empty batch.

Every kernel works on zero images, so the run costs nothing and yet finds every operation, its options and all sizes
but the batch's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Parameter, Tensor, listening, no_grad
from minicnn.ops.sequence import FoldTime, UnfoldTime

from ..graph import Program


@dataclass(eq=False)
class Value:
    """The result of an instruction, or an input: a shape, whose first size is `rows` for each sample of the batch.

    It is one; the number of steps, where the steps of sequences are taken for samples; none, where the value depends
    on no input.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    rows: int = 1

    @property
    def bytes(self) -> int:
        """For each sample of the batch."""
        return self.rows * prod(self.shape[1:]) * self.dtype.itemsize


@dataclass(eq=False)
class View:
    """A weight as an operation shows it: the same numbers in another shape or order."""

    source: Parameter | View
    function: type[Function]
    options: dict[str, Any]
    shape: tuple[int, ...]

    @property
    def parameter(self) -> Parameter:
        return self.source.parameter if isinstance(self.source, View) else self.source

    @property
    def array(self) -> np.ndarray:
        return self.function.forward(Context((False,), {}), self.source.array, **self.options)


def host_array_of(value: Any) -> Any:
    """The same on the host, for arithmetic with the arrays of others."""
    array = array_of(value)
    return None if array is None else kernels.to_host(array)


def array_of(value: Any) -> Any:
    """The array of a weight, or of a view of one; anything else as it is."""
    return value.array if isinstance(value, Parameter | View) else value


def parameters_of(values: Iterable[Any]) -> list[Parameter]:
    """The weights among values."""
    return [v.parameter if isinstance(v, View) else v for v in values if isinstance(v, Parameter | View)]


@dataclass(eq=False)
class Instruction:
    """One operation: its function, its inputs (Values, weights, constant arrays or None), options and result."""

    function: type[Function]
    inputs: list[Any]
    options: dict[str, Any]
    output: Value
    derive: list[Any] = field(default_factory=list)  # what becomes of the weights before they are used

    def values(self) -> list[Value]:
        """The inputs that other instructions make."""
        return [value for value in self.inputs if isinstance(value, Value)]

    def parameters(self) -> list[Parameter]:
        """The weights that the instruction depends on."""
        derived = [p for fold in self.derive for p in fold.parameters()]
        return parameters_of(self.inputs) + derived


@dataclass(eq=False)
class Trace:
    """Instructions in order, with the values they start from and end in: outputs, then the masks of those `masked`."""

    instructions: list[Instruction]
    inputs: list[Value]
    outputs: list[Any]
    masked: list[bool]


def trace(program: Program, shapes: list[tuple[int, ...]], dtypes: list[np.dtype], device: str) -> Trace:
    """Record a program for inputs of shapes (batch axis left out) on the device where its weights are."""
    empty = [np.zeros((0, *shape), dtype) for shape, dtype in zip(shapes, dtypes)]
    tensors = [Tensor(kernels.to_device(array, device)) for array in empty]
    known: dict[int, Any] = {id(t): Value(t.shape, t.dtype) for t in tensors}
    kept: list[Tensor] = []  # an id is unique only while the tensor lives
    instructions: list[Instruction] = []

    def source(tensor: Tensor | None) -> Any:
        if tensor is None or isinstance(tensor, Parameter):
            return tensor
        return known.get(id(tensor), tensor.array)

    def hear(function: type[Function], inputs: tuple[Any, ...], options: dict[str, Any], output: Tensor) -> None:
        kept.append(output)
        sources = [source(t) for t in inputs]
        if function.is_view and isinstance(sources[0], Parameter | View):
            known[id(output)] = View(sources[0], function, dict(options), output.shape)
            return
        rows = max((s.rows for s in sources if isinstance(s, Value)), default=0)
        if function is FoldTime:
            rows *= inputs[0].shape[1]
        elif function is UnfoldTime:
            rows //= options["steps"]
        value = known[id(output)] = Value(output.shape, output.dtype, rows)
        instructions.append(Instruction(function, sources, dict(options), value))

    with no_grad(), listening(hear), kernels.unrecorded():
        outputs = program.run(dict(zip(program.inputs, tensors)), training=False)
    masks = [output.mask for output in outputs if output.mask is not None]
    ends = [source(tensor) for tensor in (*outputs, *masks)]
    return Trace(instructions, [known[id(t)] for t in tensors], ends, [output.mask is not None for output in outputs])
