"""FORMS: how the functions of minicnn/layers/functions.py, one of which each Operation is, are said in ONNX.

A form has the operands and options of its function.  No size is fixed that the model leaves free.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from .activations import activation, softmax
from .graph import Graph, Value, axes_of
from .normalization import of_unit_length
from .rearranging import REARRANGED


def operation(graph: Graph, layer: Any, *operands: Any) -> Value | list[Value]:
    """A function of values and numbers.

    Raises
    ------
    UnsupportedError
        It has no form in ONNX.
    """
    if layer.function not in FORMS:
        raise UnsupportedError(f"operation {layer.name}: {layer.function} has no form in ONNX")
    return FORMS[layer.function](graph, *operands, **layer.options)


def _both(kind: str, graph: Graph, *operands: Any) -> Value:
    """Number by number, after NumPy's rule has made two operands fit, one of which may be numbers."""
    ranks = [operand.rank if isinstance(operand, Value) else np.ndim(operand) for operand in operands]
    values = [operand for operand in operands if isinstance(operand, Value)]
    as_they_lie = min(value.rank for value in values) == max(ranks)
    values = graph.alike(values) if as_they_lie else [graph.last(value) for value in values]
    left = iter(values)
    names = [
        next(left).name if isinstance(operand, Value) else graph.fitting(operand, values[0]) for operand in operands
    ]
    return Value(graph.node(kind, *names), max(ranks), values[0].first)


def _matmul(graph: Graph, *operands: Any) -> Value:
    values = [graph.value(operand) for operand in operands]
    return Value(graph.node("MatMul", *(value.name for value in values)), max(value.rank for value in values))


def _simple(kind: str, graph: Graph, x: Value) -> Value:
    return graph.apply(kind, x)


def _named(name: str, graph: Graph, x: Value) -> Value:
    return activation(graph, x, name)


def _square(graph: Graph, x: Value) -> Value:
    return graph.apply("Mul", x, x.name)


def _power(graph: Graph, x: Value, exponent: Any = 1.0) -> Value:
    return graph.apply("Pow", x, graph.fitting(exponent, x))


def _clip(graph: Graph, x: Value, x_min: Any = None, x_max: Any = None) -> Value:
    for kind, bound in (("Max", x_min), ("Min", x_max)):
        x = x if bound is None else graph.apply(kind, x, graph.fitting(bound, x))
    return x


def _gelu(graph: Graph, x: Value, approximate: bool = True) -> Value:
    if not approximate:
        return activation(graph, x, "gelu")
    cube = graph.apply("Mul", graph.apply("Mul", _square(graph, x), x.name), graph.constant(0.044715))
    inner = graph.apply("Mul", graph.apply("Add", x, cube.name), graph.constant(math.sqrt(2 / math.pi)))
    factor = graph.apply("Add", graph.apply("Tanh", inner), graph.constant(1.0))
    return graph.apply("Mul", graph.apply("Mul", x, factor.name), graph.constant(0.5))


def _reduced(kind: str, graph: Graph, x: Value, axis: Any = None, keepdims: bool = False) -> Value:
    """One number for all of those along some axes."""
    axes = axes_of(axis, x.rank)
    if not keepdims and x.rank - 1 in axes:
        x = graph.last(x)  # what is left has no channels that could come first
    places, options = [x.axis(one) for one in axes], {"keepdims": int(keepdims)}
    if kind == "ReduceSum":
        y = graph.node(kind, x.name, graph.integers(*places), **options)
    else:
        y = graph.node(kind, x.name, axes=places, **options)
    return Value(y, x.rank if keepdims else x.rank - len(axes), x.first)


def _variance(graph: Graph, x: Value, axis: Any = None, keepdims: bool = False) -> Value:
    difference = graph.apply("Sub", x, _reduced("ReduceMean", graph, x, axis, True).name)
    return _reduced("ReduceMean", graph, _square(graph, difference), axis, keepdims)


def _deviation(graph: Graph, x: Value, axis: Any = None, keepdims: bool = False) -> Value:
    return graph.apply("Sqrt", _variance(graph, x, axis, keepdims))


def _softmax(log: bool, graph: Graph, x: Value, axis: Any = -1) -> Value:
    return softmax(graph, x, *axes_of(axis, x.rank), log=log)


def _normalize(graph: Graph, x: Value, axis: Any = -1, order: float = 2, epsilon: float | None = None) -> Value:
    return of_unit_length(graph, graph.last(x), axes_of(axis, x.rank), 1e-7 if epsilon is None else epsilon)


def _l2_normalize(graph: Graph, x: Value, axis: Any = -1, epsilon: float = 1e-12) -> Value:
    return of_unit_length(graph, graph.last(x), axes_of(axis, x.rank), math.sqrt(epsilon))


FORMS: dict[str, Callable[..., Any]] = {
    "Add": partial(_both, "Add"),
    "Subtract": partial(_both, "Sub"),
    "Multiply": partial(_both, "Mul"),
    "TrueDivide": partial(_both, "Div"),
    "Divide": partial(_both, "Div"),
    "Maximum": partial(_both, "Max"),
    "Minimum": partial(_both, "Min"),
    "Matmul": _matmul,
    "Negative": partial(_simple, "Neg"),
    "Absolute": partial(_simple, "Abs"),
    "Square": _square,
    "Sqrt": partial(_simple, "Sqrt"),
    "Rsqrt": lambda graph, x: graph.apply("Reciprocal", graph.apply("Sqrt", x)),
    "Reciprocal": partial(_simple, "Reciprocal"),
    "Exp": partial(_simple, "Exp"),
    "Log": partial(_simple, "Log"),
    "Identity": lambda graph, x: x,
    "Power": _power,
    "Clip": _clip,
    "Relu": partial(_named, "relu"),
    "Relu6": partial(_named, "relu6"),
    "Sigmoid": partial(_named, "sigmoid"),
    "Tanh": partial(_named, "tanh"),
    "Silu": partial(_named, "swish"),
    "Softplus": partial(_named, "softplus"),
    "Softsign": partial(_named, "softsign"),
    "Selu": partial(_named, "selu"),
    "HardSigmoid": partial(_named, "hard_sigmoid"),
    "HardSilu": partial(_named, "hard_silu"),
    "LogSigmoid": partial(_named, "log_sigmoid"),
    "Elu": lambda graph, x, alpha=1.0: graph.apply("Elu", x, alpha=alpha),
    "LeakyRelu": lambda graph, x, negative_slope=0.2: graph.apply("LeakyRelu", x, alpha=negative_slope),
    "Gelu": _gelu,
    "Softmax": partial(_softmax, False),
    "LogSoftmax": partial(_softmax, True),
    "Normalize": _normalize,
    "L2Normalize": _l2_normalize,
    "Mean": partial(_reduced, "ReduceMean"),
    "Sum": partial(_reduced, "ReduceSum"),
    "Max": partial(_reduced, "ReduceMax"),
    "Min": partial(_reduced, "ReduceMin"),
    "Var": _variance,
    "Std": _deviation,
    **REARRANGED,
}
