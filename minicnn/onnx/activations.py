"""Activations as ONNX operations; those that ONNX has no operation for are written out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.layers import Layer

from .graph import Graph, Value

SIMPLE: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "elu": ("Elu", {"alpha": 1.0}),
    "celu": ("Elu", {"alpha": 1.0}),
    "selu": ("Selu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "sigmoid": ("Sigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_sigmoid_keras2": ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
    "sparse_sigmoid": ("HardSigmoid", {"alpha": 0.5, "beta": 0.5}),
    "tanh": ("Tanh", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "hard_swish": ("HardSwish", {}),
    "hard_silu": ("HardSwish", {}),
    "exponential": ("Exp", {}),
}


def activation(graph: Graph, x: Value, name: str | Layer) -> Value:
    """f(x) for f by Keras' name, or a layer.

    Raises
    ------
    UnsupportedError
        The function has no form here.
    """
    if isinstance(name, Layer):
        from .layers import LAYERS

        return LAYERS[type(name).__name__](graph, name, x)
    if name == "linear":
        return x
    if name in SIMPLE:
        kind, attributes = SIMPLE[name]
        return graph.apply(kind, x, **attributes)
    if name in WRITTEN_OUT:
        return WRITTEN_OUT[name](graph, x)
    raise UnsupportedError(f"layer {graph.layer}: the activation {name!r} has no form in ONNX")


def rectifier(graph: Graph, x: Value, max_value: float | None, negative_slope: float, threshold: float) -> Value:
    """Keras' general ReLU: slope (x - threshold) up to the threshold, x above it, at most max_value."""
    if negative_slope == threshold == 0:
        return graph.apply("Relu", x) if max_value is None else _clip(graph, x, 0.0, max_value)
    edge = graph.constant(threshold)
    above = x if max_value is None else graph.apply("Min", x, graph.constant(max_value))
    below = graph.apply("Mul", graph.apply("Sub", x, edge), graph.constant(negative_slope))
    return Value(graph.node("Where", graph.node("Greater", x.name, edge), above.name, below.name), x.rank, x.first)


def softmax(graph: Graph, x: Value, axis: Any = -1, log: bool = False) -> Value:
    """exp(x) / sum of exp(x) along an axis as Keras counts it, or several together; or its logarithm."""
    if isinstance(axis, int):
        return graph.apply("LogSoftmax" if log else "Softmax", x, axis=x.axis(axis))
    axes = [x.axis(one) for one in axis]
    largest = graph.node("ReduceMax", x.name, axes=axes, keepdims=1)
    y = graph.apply("Exp", graph.apply("Sub", x, largest))
    return graph.apply("Div", y, graph.node("ReduceSum", y.name, graph.constant(axes, np.int64), keepdims=1))


def _clip(graph: Graph, x: Value, least: float, most: float) -> Value:
    return graph.apply("Clip", x, graph.constant(least), graph.constant(most))


def _swish(graph: Graph, x: Value) -> Value:
    return graph.apply("Mul", x, graph.node("Sigmoid", x.name))


def _mish(graph: Graph, x: Value) -> Value:
    return graph.apply("Mul", x, graph.node("Tanh", graph.node("Softplus", x.name)))


def _gelu(graph: Graph, x: Value) -> Value:
    """x (1 + erf(x / sqrt 2)) / 2, in the order in which engines know it as one operation"""
    erf = graph.node("Erf", graph.node("Div", x.name, graph.constant(math.sqrt(2))))
    twice = graph.apply("Mul", x, graph.node("Add", erf, graph.constant(1.0)))
    return graph.apply("Mul", twice, graph.constant(0.5))


def _log_sigmoid(graph: Graph, x: Value) -> Value:
    return graph.apply("Neg", graph.apply("Softplus", graph.apply("Neg", x)))


def _sparse_plus(graph: Graph, x: Value) -> Value:
    """max(0, min(x + 1, 2))^2 / 4 + max(0, x - 1)"""
    one = graph.constant(1.0)
    bend = _clip(graph, graph.apply("Add", x, one), 0.0, 2.0)
    square = graph.apply("Mul", graph.apply("Mul", bend, bend.name), graph.constant(0.25))
    return graph.apply("Add", square, graph.node("Relu", graph.node("Sub", x.name, one)))


def _squareplus(graph: Graph, x: Value) -> Value:
    """(x + sqrt(x^2 + 4)) / 2"""
    root = graph.node("Sqrt", graph.node("Add", graph.node("Mul", x.name, x.name), graph.constant(4.0)))
    return graph.apply("Mul", graph.apply("Add", x, root), graph.constant(0.5))


WRITTEN_OUT: dict[str, Callable[[Graph, Value], Value]] = {
    "relu6": lambda graph, x: _clip(graph, x, 0.0, 6.0),
    "swish": _swish,
    "silu": _swish,
    "mish": _mish,
    "hard_shrink": lambda graph, x: graph.apply("Shrink", x, lambd=0.5),
    "soft_shrink": lambda graph, x: graph.apply("Shrink", x, lambd=0.5, bias=0.5),
    "hard_tanh": lambda graph, x: _clip(graph, x, -1.0, 1.0),
    "log_sigmoid": _log_sigmoid,
    "sparse_plus": _sparse_plus,
    "squareplus": _squareplus,
    "tanh_shrink": lambda graph, x: graph.apply("Sub", x, graph.node("Tanh", x.name)),
    "gelu": _gelu,
    "softmax": softmax,
    "log_softmax": lambda graph, x: softmax(graph, x, log=True),
}
