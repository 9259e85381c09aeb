"""Graph: the nodes and weights of an ONNX graph as they are found, layer by layer.

ONNX has images as (N,C,H,W).  A value says in which order its axes lie, and is turned only where an operation needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


@dataclass(frozen=True)
class Value:
    """A tensor of the graph: its name, number of axes, and whether it is an image with channels first."""

    name: str
    rank: int
    first: bool = False

    def axis(self, axis: int) -> int:
        """Where an axis, counted as in Keras, lies here."""
        axis %= self.rank
        return (0, 2, 3, 1)[axis] if self.first else axis


class Graph:
    """Nodes and weights, named after the layer that they come from."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.size = 0  # bytes of the weights
        self.layer = ""
        self._turned: dict[tuple[str, bool], Value] = {}

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        """The name of a constant: a weight, or an argument that ONNX takes as a tensor."""
        from onnx import numpy_helper  # pyright: ignore

        values = np.ascontiguousarray(np.asarray(array, dtype)).reshape(np.shape(array))
        name = f"{self.layer}/{len(self.weights)}.constant"
        self.weights.append(numpy_helper.from_array(values, name))
        self.size += values.nbytes
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of the one output of a new node."""
        from onnx import helper  # pyright: ignore

        name = f"{self.layer}/{len(self.nodes)}.{kind}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def apply(self, kind: str, value: Value, *others: str, **attributes: Any) -> Value:
        """A node whose output has the axes of its first input."""
        return Value(self.node(kind, value.name, *others, **attributes), value.rank, value.first)

    def first(self, value: Value) -> Value:
        """An image as (N,C,H,W)."""
        return self._turn(value, True)

    def last(self, value: Value) -> Value:
        """A value with its axes as in Keras."""
        return self._turn(value, False)

    def alike(self, values: Sequence[Value]) -> list[Value]:
        """The values with their axes in one order."""
        return list(values) if all(value.first for value in values) else [self.last(value) for value in values]

    def _turn(self, value: Value, first: bool) -> Value:
        if value.first == first:
            return value
        key = value.name, first
        if key not in self._turned:
            turned = self.node("Transpose", value.name, perm=TO_FIRST if first else TO_LAST)
            self._turned[key] = Value(turned, value.rank, first)
            self._turned[turned, value.first] = value
        return self._turned[key]
