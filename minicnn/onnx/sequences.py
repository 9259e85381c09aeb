"""Layers that make masks, and layers around layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .graph import Graph, Value
from .recurrent import reverse

MERGES = {"sum": "Sum", "mul": "Mul", "ave": "Mean"}


def embedding(graph: Graph, layer: Any, x: Value) -> Value:
    x = graph.last(x)
    rows = graph.cast(x.name, "INT64")  # parts of numbers are cut off
    y = Value(graph.node("Gather", graph.constant(layer.embeddings.numpy()), rows), x.rank + 1)
    return replace(y, mask=_unlike(graph, x, 0.0)) if layer.mask_zero else y


def masking(graph: Graph, layer: Any, x: Value) -> Value:
    x = graph.last(x)
    differs = _unlike(graph, x, layer.mask_value)
    mask = graph.node("ReduceMax", differs.name, axes=[-1], keepdims=0)
    over_steps = graph.node("Unsqueeze", mask, graph.integers(-1))
    return replace(graph.apply("Mul", x, over_steps), mask=Value(mask, x.rank - 1))


def _unlike(graph: Graph, x: Value, value: float) -> Value:
    """1 where x is not `value`, else 0"""
    same = graph.node("Equal", x.name, graph.constant(value))
    return Value(graph.cast(graph.node("Not", same), "FLOAT"), x.rank)


def bidirectional(graph: Graph, layer: Any, x: Value, *initial: Value) -> list[Value]:
    half = len(initial) // 2
    y, *states = graph.inner(layer.forward_layer, x, *initial[:half])
    back, *states_back = graph.inner(layer.backward_layer, x, *initial[half:])
    if layer.forward_layer.return_sequences:
        back = replace(reverse(graph, back), mask=y.mask)
    if layer.merge_mode is None:
        return [y, back, *states, *states_back]
    if layer.merge_mode == "concat":
        merged = graph.apply("Concat", y, back.name, axis=y.rank - 1)
    else:
        merged = graph.apply(MERGES[layer.merge_mode], y, back.name)
    return [replace(merged, mask=y.mask), *states, *states_back]


def time_distributed(graph: Graph, layer: Any, x: Value) -> Value:
    """The steps as samples, and back."""
    x = graph.last(x)
    mask = x.mask if x.mask is not None and x.mask.rank > 2 else None
    samples = _folded(graph, x)
    samples = replace(samples, mask=None if mask is None else _folded(graph, mask))
    (y,) = graph.inner(layer.layer, samples)
    y = graph.last(y)
    sizes = graph.sizes(graph.node("Shape", x.name, end=2), graph.node("Shape", y.name, start=1))
    return Value(graph.node("Reshape", y.name, sizes), y.rank + 1)


def _folded(graph: Graph, x: Value) -> Value:
    """(N,T,...) -> (N T,...)"""
    sizes = graph.sizes([-1], graph.node("Shape", x.name, start=2))
    return Value(graph.node("Reshape", x.name, sizes), x.rank - 1, shape=(None, *x.shape[2:]))
