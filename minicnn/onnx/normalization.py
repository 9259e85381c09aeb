"""Normalisations, and layers that scale by numbers that are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.layers.normalization import sample_axes
from minicnn.layers.standardization import Normalization

from .graph import Graph, Value

SHORTEST = 1e-12  # what UnitNormalization takes for the length of a shorter vector


def batch_normalization(graph: Graph, layer: Any, x: Value) -> Value:
    """On (N,C,...) as ONNX's own operation; with channels last as one multiplication and one addition."""
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    gamma = np.ones_like(mean) if layer.gamma is None else layer.gamma.numpy()
    beta = np.zeros_like(mean) if layer.beta is None else layer.beta.numpy()
    axis = layer.axis % x.rank
    if (x.first or x.rank in (2, 4)) and axis == x.rank - 1:
        x = graph.first(x) if x.rank == 4 else x
        names = [graph.constant(array) for array in (gamma, beta, mean, variance)]
        return graph.apply("BatchNormalization", x, *names, epsilon=layer.epsilon)
    scale = gamma / np.sqrt(variance + np.float32(layer.epsilon))
    shape = [-1 if i == axis else 1 for i in range(x.rank)]
    y = graph.apply("Mul", graph.last(x), graph.constant(scale.reshape(shape)))
    return graph.apply("Add", y, graph.constant((beta - mean * scale).reshape(shape)))


def layer_normalization(graph: Graph, layer: Any, x: Value) -> Value:
    """Along the last axes, to which others are brought first."""
    x = graph.last(x)
    axes = sample_axes(layer, layer.axis, x.shape)
    order = [axis for axis in range(x.rank) if axis not in axes] + axes
    sizes: Any = [x.shape[axis] for axis in axes]
    arrays = [np.ones(sizes) if layer.gamma is None else layer.gamma.numpy().reshape(sizes)]
    if layer.beta is not None:
        arrays.append(layer.beta.numpy().reshape(sizes))
    options = {"axis": -len(axes), "epsilon": layer.epsilon}
    names = [graph.constant(array) for array in arrays]
    if order == sorted(order):
        return graph.apply("LayerNormalization", x, *names, **options)
    y = graph.apply("LayerNormalization", graph.apply("Transpose", x, perm=order), *names, **options)
    return graph.apply("Transpose", y, perm=sorted(range(x.rank), key=order.__getitem__))


def group_normalization(graph: Graph, layer: Any, x: Value) -> Value:
    """Each group as a channel of its own: (N,groups,C/groups,...), normalised as ONNX's instances are."""
    (axis,) = sample_axes(layer, layer.axis, x.shape)
    if axis == x.rank - 1:
        return _by_groups(graph, layer, graph.first(x))
    order = [0, axis, *(other for other in range(1, x.rank) if other != axis)]
    y = _by_groups(graph, layer, graph.apply("Transpose", graph.last(x), perm=order))
    return graph.apply("Transpose", y, perm=sorted(range(x.rank), key=order.__getitem__))


def _by_groups(graph: Graph, layer: Any, x: Value) -> Value:
    """Of x with its channels as axis 1."""
    sides = [graph.node("Shape", x.name, start=2)] if x.rank > 2 else []
    groups = graph.sizes([0, layer.groups, layer.channels // layer.groups], *sides)
    ones, zeros = graph.constant(np.ones(layer.groups)), graph.constant(np.zeros(layer.groups))
    y = graph.node("Reshape", x.name, groups)
    y = graph.node("InstanceNormalization", y, ones, zeros, epsilon=layer.epsilon)
    y = Value(graph.node("Reshape", y, graph.sizes([0, layer.channels], *sides)), x.rank, x.first)
    for kind, weight in (("Mul", layer.gamma), ("Add", layer.beta)):
        if weight is not None:
            y = graph.apply(kind, y, graph.constant(weight.numpy().reshape(-1, *[1] * (x.rank - 2))))
    return y


def unit_normalization(graph: Graph, layer: Any, x: Value) -> Value:
    x = graph.last(x)
    return of_unit_length(graph, x, sample_axes(layer, layer.axis, x.shape), SHORTEST)


def of_unit_length(graph: Graph, x: Value, axes: list[int], shortest: float) -> Value:
    """x / |x|, the length along some axes"""
    length = graph.node("ReduceL2", x.name, axes=axes)
    return graph.apply("Div", x, graph.node("Max", length, graph.constant(shortest)))


def rescaling(graph: Graph, layer: Any, x: Value) -> Value:
    x = _turned(graph, x)
    y = graph.apply("Mul", x, graph.fitting(layer.scale, x))
    return graph.apply("Add", y, graph.fitting(layer.offset, x)) if np.any(layer.offset) else y


def layer_scale(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.apply("Mul", x, graph.fitting(layer.gamma.numpy(), x))


def normalization(graph: Graph, layer: Normalization, x: Value) -> Value:
    x = _turned(graph, x)
    mean, deviation = (graph.fitting(array, x) for array in layer.mean_and_deviation())
    if layer.invert:
        return graph.apply("Add", graph.apply("Mul", x, deviation), mean)
    return graph.apply("Div", graph.apply("Sub", x, mean), deviation)


def _turned(graph: Graph, x: Value) -> Value:
    """Images with channels first, on which engines compute faster by a number for each channel."""
    return graph.first(x) if x.rank == 4 else x
