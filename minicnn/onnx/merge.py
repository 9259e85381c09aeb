"""Layers that make one value of several."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from minicnn.layers.merge import SHORTEST

from .graph import Graph, Value
from .normalization import of_unit_length


def merge(kind: str) -> Callable[..., Value]:
    """Of any number of values, in one operation or one after another."""

    def layer_to_onnx(graph: Graph, layer: Any, *values: Value) -> Value:
        first, *others = graph.alike(values)
        if kind in ("Mul", "Sub"):
            return reduce(lambda x, y: graph.apply(kind, x, y.name), others, first)
        return graph.apply(kind, first, *(value.name for value in others))

    return layer_to_onnx


def custom_scale(graph: Graph, layer: Any, *values: Value) -> Value:
    first, second = graph.alike(values)
    return graph.apply("Add", first, graph.apply("Mul", second, graph.constant(layer.scale)).name)


def concatenate(graph: Graph, layer: Any, *values: Value) -> Value:
    first, *others = graph.alike(values)
    return graph.apply("Concat", first, *(value.name for value in others), axis=first.axis(layer.axis))


def dot(graph: Graph, layer: Any, *values: Value) -> Value:
    """As a sum over letters: n the samples, s the axis that goes, the others a, b, ..."""
    axes = [axis % value.rank for axis, value in zip(np.broadcast_to(layer.axes, 2).tolist(), values)]
    left = iter("abcdefgh")
    letters = [
        "".join("n" if i == 0 else "s" if i == axis else next(left) for i in range(value.rank))
        for axis, value in zip(axes, values)
    ]
    rest = "".join(letter for letter in "".join(letters) if letter not in "ns")
    values = tuple(graph.last(value) for value in values)
    if layer.normalize:
        values = tuple(of_unit_length(graph, value, [axis], SHORTEST) for value, axis in zip(values, axes))
    y = graph.node("Einsum", *(value.name for value in values), equation=f"{','.join(letters)}->n{rest}")
    return Value(y, 1 + len(rest)) if rest else Value(graph.node("Unsqueeze", y, graph.integers(1)), 2)
