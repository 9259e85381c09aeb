"""Graph: the nodes and weights of an ONNX graph as they are found, layer by layer.

ONNX has images as (N,C,H,W), and what has fewer or more axes alike.  A value says in which order its axes lie, and is
turned only where an operation needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicnn.layers.symbolic import Shape

Sides = Sequence[tuple[int, int]]  # (before, after) of each axis between batch and channels


@dataclass(frozen=True)
class Value:
    """A tensor of the graph.

    Attributes
    ----------
    name : str
    rank : its number of axes
    first : whether its channels come before its sides
    shape : in Keras' order, None for what is not known; of what layers are given and give
    mask : a value (N,T) of 1 and 0 that says which steps of a sequence count; None where all do
    """

    name: str
    rank: int
    first: bool = False
    shape: Shape = ()
    mask: Value | None = None

    def axis(self, axis: int) -> int:
        """Where an axis, counted as in Keras, lies here."""
        axis %= self.rank
        return to_last(self.rank)[axis] if self.first else axis


def to_first(rank: int) -> tuple[int, ...]:
    """The order of axes that puts the channels before the sides.

    >>> to_first(4)
    (0, 3, 1, 2)
    """
    return (0, rank - 1, *range(1, rank - 1))


def to_last(rank: int) -> tuple[int, ...]:
    """The order that undoes `to_first`.

    >>> to_last(4)
    (0, 2, 3, 1)
    """
    return (0, *range(2, rank), 1)


def axes_of(axis: Any, rank: int) -> list[int]:
    """One axis or several, counted from the first.

    >>> axes_of((-1, 1), 4)
    [3, 1]
    """
    return [one % rank for one in ([axis] if isinstance(axis, int) else axis)]


class Graph:
    """Nodes and weights, named after the layer that they come from.

    `call(graph, layer, *values)` gives what a layer within another makes of values.
    """

    def __init__(self, call: Callable[..., list[Value]]) -> None:
        self._call = call
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.size = 0  # bytes of the weights
        self.padded: dict[str, tuple[Value, Sides]] = {}  # what a padding gave: what it was given, and the zeros
        self.layer = ""
        self._turned: dict[tuple[str, bool], Value] = {}

    def inner(self, layer: Any, *values: Value) -> list[Value]:
        """What a layer within the present one makes of values."""
        outer = self.layer
        found = self._call(self, layer, *values)
        self.layer = outer
        return found

    def within(self) -> Graph:
        """An empty graph for a node that holds one; its names are found nowhere else."""
        body = Graph(self._call)
        body.layer = f"{self.layer}/{len(self.nodes)}.body"
        return body

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        """The name of a constant: a weight, or an argument that ONNX takes as a tensor."""
        from onnx import numpy_helper  # pyright: ignore

        values = np.ascontiguousarray(np.asarray(array, dtype)).reshape(np.shape(array))
        name = f"{self.layer}/{len(self.weights)}.constant"
        self.weights.append(numpy_helper.from_array(values, name))
        self.size += values.nbytes
        return name

    def value(self, operand: Any) -> Value:
        """A value with its axes as in Keras: the operand, or the constant of its numbers."""
        return self.last(operand) if isinstance(operand, Value) else Value(self.constant(operand), np.ndim(operand))

    def integers(self, *numbers: int) -> str:
        """The name of a constant list of whole numbers."""
        return self.constant(numbers, np.int64)

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of the one output of a new node."""
        return self.several(kind, 1, *inputs, **attributes)[0]

    def several(self, kind: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """The names of the outputs of a new node."""
        from onnx import helper  # pyright: ignore

        name = f"{self.layer}/{len(self.nodes)}.{kind}"
        outputs = [name, *(f"{name}.{number}" for number in range(1, count))]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, name=name, **attributes))
        return outputs

    def apply(self, kind: str, value: Value, *others: str, **attributes: Any) -> Value:
        """A node whose output has the axes of its first input."""
        return Value(self.node(kind, value.name, *others, **attributes), value.rank, value.first)

    def sizes(self, *parts: str | Sequence[int]) -> str:
        """A shape of parts: lists of numbers, and names of what nodes found."""
        names = [part if isinstance(part, str) else self.integers(*part) for part in parts]
        return names[0] if len(names) == 1 else self.node("Concat", *names, axis=0)

    def cast(self, name: str, kind: str) -> str:
        """A tensor as numbers of another kind: "FLOAT", "INT64", "BOOL"."""
        from onnx import TensorProto  # pyright: ignore

        return self.node("Cast", name, to=TensorProto.DataType.Value(kind))

    def fitting(self, array: Any, value: Value) -> str:
        """The name of a constant that has axes as in Keras, or the last of them, for one operation with a value."""
        array = np.asarray(array)
        if value.first:
            array = array.reshape((1,) * (value.rank - array.ndim) + array.shape).transpose(to_first(value.rank))
        return self.constant(array)

    def keep(self, outputs: Sequence[str]) -> None:
        """Let go what leads to none of some outputs."""
        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if not needed.isdisjoint(node.output):
                kept.append(node)
                needed.update(node.input)
        self.nodes = kept[::-1]
        self.weights = [weight for weight in self.weights if weight.name in needed]

    def first(self, value: Value) -> Value:
        """A value with its channels before its sides: an image as (N,C,H,W)."""
        return self._turn(value, True)

    def last(self, value: Value) -> Value:
        """A value with its axes as in Keras."""
        return self._turn(value, False)

    def alike(self, values: Sequence[Value]) -> list[Value]:
        """The values with their axes in one order."""
        return list(values) if all(value.first for value in values) else [self.last(value) for value in values]

    def _turn(self, value: Value, first: bool) -> Value:
        if value.first == first or value.rank < 3:
            return value
        key = value.name, first
        if key not in self._turned:
            order = to_first(value.rank) if first else to_last(value.rank)
            turned = self.node("Transpose", value.name, perm=order)
            self._turned[key] = Value(turned, value.rank, first)
            self._turned[turned, value.first] = value
        return replace(self._turned[key], shape=value.shape, mask=value.mask)
