"""Axes: moves of axes that undo each other are left out of a trace.

A layer with channels first moves the channels behind the other axes, and back when it is done.  Where the next layer
moves them again, nothing has to be moved; where an activation, a sum or a concatenation lies between the two, it is
done before the move back, so that the moves meet.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.autograd.arithmetic import Add, Divide, Multiply, Subtract, Transpose
from minicnn.ops.activation import Activation
from minicnn.ops.merge import Maximum
from minicnn.ops.shape import Concatenate, Permute

from .trace import Instruction, Trace, Value

ELEMENTWISE = (Activation, Add, Subtract, Multiply, Divide, Maximum)
Order = tuple[int, ...]


def cancel_moves(trace: Trace) -> None:
    """Rewrite the instructions of a trace in place."""
    moved: dict[int, tuple[Value, Order]] = {}  # what a value is: another one, with the axes of a sample in this order
    same: dict[int, Value] = {}  # what stands for a value that is left out
    kept: list[Instruction] = []
    for item in trace.instructions:
        item.inputs = [same.get(id(value), value) for value in item.inputs]
        order = _order(item)
        if order is not None:
            source, before = moved.get(id(item.inputs[0]), (item.inputs[0], tuple(range(1, len(order) + 1))))
            order = tuple(before[axis - 1] for axis in order)
        elif (found := _common_move(item, moved)) is not None:
            source, order = _before_the_move(item, found, moved), found
            kept.append(source)
            source = source.output
        else:
            kept.append(item)
            continue
        if order == tuple(sorted(order)):
            same[id(item.output)] = source
        else:
            moved[id(item.output)] = source, order
            kept.append(Instruction(Permute, [source], {"order": order}, item.output))
    trace.outputs[:] = [same.get(id(value), value) for value in trace.outputs]
    trace.instructions[:] = _without_unused(kept, trace.outputs)


def _order(item: Instruction) -> Order | None:
    """The order that an instruction gives the axes of each sample, if that is all it does."""
    if not isinstance(item.inputs[0], Value):
        return None
    if item.function is Permute:
        return item.options["order"]
    if item.function is Transpose and item.options["axes"][0] == 0:
        return tuple(axis % len(item.output.shape) for axis in item.options["axes"][1:])
    return None


def _common_move(item: Instruction, moved: dict[int, tuple[Value, Order]]) -> Order | None:
    """The order in which all inputs are moved, where the instruction could as well come before the moves."""
    if item.function not in (*ELEMENTWISE, Concatenate):
        return None
    arrays = [value for value in item.inputs if not _is_number(value)]
    orders = {moved[id(value)][1] if id(value) in moved else None for value in arrays}
    order = orders.pop() if len(orders) == 1 else None
    return order if order is not None and len(order) == len(item.output.shape) - 1 else None


def _is_number(value: Any) -> bool:
    """Whether an input is a constant that has no axes."""
    return isinstance(value, np.ndarray) and value.ndim == 0


def _before_the_move(item: Instruction, order: Order, moved: dict[int, tuple[Value, Order]]) -> Instruction:
    """The instruction on what its inputs were before they were moved."""
    inputs = [value if _is_number(value) else moved[id(value)][0] for value in item.inputs]
    options = dict(item.options)
    if item.function is Concatenate:
        options["axis"] = order[options["axis"] % len(item.output.shape) - 1]
    shape = list(item.output.shape)
    for axis, source in enumerate(order, 1):
        shape[source] = item.output.shape[axis]
    return Instruction(item.function, inputs, options, Value(tuple(shape), item.output.dtype, item.output.rows))


def _without_unused(instructions: list[Instruction], outputs: list[Any]) -> list[Instruction]:
    """The instructions without the moves whose results nobody takes any more."""
    used = {id(value) for value in outputs}
    kept = []
    for item in reversed(instructions):
        if item.function is not Permute or id(item.output) in used:
            used |= {id(value) for value in item.inputs}
            kept.append(item)
    return kept[::-1]
