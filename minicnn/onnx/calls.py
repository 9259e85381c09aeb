"""The calls of a model's layers, and of layers within layers, one after another; the masks that go along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.layers.data_format import Spatial
from minicnn.layers.recurrent import WithStates
from minicnn.layers.symbolic import map_arguments
from minicnn.layers.window import WindowLayer
from minicnn.models import Model
from minicnn.models.graph import Program, Slot

from .activations import activation
from .graph import Graph, Value
from .layers import LAYERS


def new_graph() -> Graph:
    """A graph that knows all layers."""
    return Graph(called)


def run(graph: Graph, program: Program, inputs: Sequence[Value]) -> list[Value]:
    """What a program makes of its inputs.

    Raises
    ------
    UnsupportedError
        Of the first layer that has no form in ONNX.
    """
    values = dict(zip(program.inputs, inputs))
    for call in program.calls:
        layer = call.layer
        if call.training and not layer.deterministic:
            kind = type(layer).__name__
            raise UnsupportedError(
                f"layer {layer.name} ({kind}) is called with training=True, which ONNX does not hold"
            )
        arguments = map_arguments(call.arguments, lambda v: values[v.index] if isinstance(v, Slot) else v)
        values.update(zip(call.outputs, called(graph, layer, *arguments)))
    return [values[slot] for slot in program.outputs]


def called(graph: Graph, layer: Any, *arguments: Any) -> list[Value]:
    """What a layer, or a model, makes of values; their shapes and masks are those of its Keras form."""
    kind, graph.layer = type(layer).__name__, layer.name
    if isinstance(layer, Model):
        return run(graph, layer.program, arguments)
    if kind not in LAYERS:
        raise UnsupportedError(f"layer {layer.name}: {kind} has no form in ONNX")
    if layer.dtype != np.float32:
        raise UnsupportedError(f"layer {layer.name} ({kind}) is of {layer.dtype}; ONNX files are written for float32")
    given = arguments
    if kind != "Operation" and isinstance(arguments[0], list | tuple):
        arguments = tuple(arguments[0])
    results = _results(graph, layer, arguments)
    shapes = layer.compute_output_shape(layer.argument_shapes(given))
    shapes = shapes if isinstance(shapes, list) else [shapes]
    masks = _masks(graph, layer, [value for value in arguments if isinstance(value, Value)], results)
    return [replace(v, shape=tuple(shape), mask=mask) for v, shape, mask in zip(results, shapes, masks, strict=True)]


def _results(graph: Graph, layer: Any, arguments: tuple[Any, ...]) -> list[Value]:
    """What a layer gives; with channels first in Keras too, what lies so here is left as it is."""
    turned = isinstance(layer, Spatial) and layer.data_format == "channels_first"
    if turned:
        arguments = tuple(_with_channels_last(graph, layer, value) for value in arguments)
    found = LAYERS[type(layer).__name__](graph, layer, *arguments)
    results = found if isinstance(found, list) else [found]
    if turned:
        results = [_with_channels_first(graph, layer, value) for value in results]
    if isinstance(layer, WindowLayer) and layer.activation != layer.fused:
        results = [activation(graph, value, layer.activation) for value in results]
    return results


def _with_channels_last(graph: Graph, layer: Spatial, x: Value) -> Value:
    """The value of an argument (N,C,...) as the layer's form takes it."""
    x = graph.last(x)
    if x.rank < 3:
        return x
    shape = layer.inner_shape(x.shape)
    if layer.first == 1:
        return replace(x, first=True, shape=shape)
    return replace(graph.apply("Transpose", x, perm=layer.inner_shape(range(x.rank))), shape=shape, mask=x.mask)


def _with_channels_first(graph: Graph, layer: Spatial, y: Value) -> Value:
    """What a layer's form gave as (N,C,...)."""
    if y.rank < 3:
        return y
    if layer.first == 1:
        return replace(graph.first(y), first=False)
    order = layer.inner_shape(range(y.rank))
    turned = graph.apply("Transpose", graph.last(y), perm=sorted(range(y.rank), key=order.__getitem__))
    return replace(turned, mask=y.mask)


def _masks(graph: Graph, layer: Any, given: list[Value], results: list[Value]) -> list[Value | None]:
    """The masks of a layer's results, by the rules of minicnn/layers/masks.py."""
    if layer.makes_mask or isinstance(layer, WithStates):
        return [value.mask for value in results]
    masks = [value.mask for value in given if value.mask is not None]
    if not layer.supports_masking or not masks:
        return [None] * len(results)
    if type(layer).__name__ == "Concatenate" and layer.axis in (1, 1 - given[0].rank):
        every = [value.mask or _all_steps(graph, value) for value in given]
        return [graph.apply("Concat", every[0], *(mask.name for mask in every[1:]), axis=1)]
    kept = None if len(masks) < len(given) else reduce(lambda a, b: graph.apply("Max", a, b.name), masks)
    return [kept] * len(results)


def _all_steps(graph: Graph, x: Value) -> Value:
    """A mask of 1."""
    sizes = graph.node("Shape", graph.last(x).name, end=x.rank - 1)
    return Value(graph.node("Expand", graph.constant(1.0), sizes), x.rank - 1)
