"""A model as an ONNX graph: the calls of its layers one after another, inputs and outputs as in Keras (N,H,W,C).

The number of samples is free, and the sides of images where the model leaves them free.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, MissingExtraError, UnsupportedError
from minicnn.layers import SymbolicTensor
from minicnn.layers.symbolic import map_arguments
from minicnn.layers.window import WindowLayer
from minicnn.models import Model
from minicnn.models.graph import Call, Slot
from minicnn.weights.atomic import replacing

from .activations import activation
from .graph import Graph, Value
from .layers import LAYERS

OPSET, IR_VERSION = 17, 8  # of ONNX 1.12, the first with LayerNormalization
MOST_BYTES = 2**31 - 2**20  # of a protocol buffer


def export(model: Model, path: str | os.PathLike) -> None:
    """Write a model as an ONNX file that computes what `model.predict` computes.

    Parameters
    ----------
    model : Model
    path : path
        Ends in .onnx.

    Raises
    ------
    UnsupportedError
        A layer has no form in ONNX, or the model is not of float32 or larger than 2 GiB.
    MissingExtraError
        The package onnx is not installed.
    FileAccessError
        The file cannot be written; a file that was there is kept.

    Examples
    --------
    >>> from minicnn.onnx import export
    >>> export(model, "model.onnx")                                             # doctest: +SKIP
    """
    if not str(path).endswith(".onnx"):
        raise ArgumentError(f"export: {path} must end in .onnx")
    text = to_onnx(model).SerializeToString()
    with replacing(path) as temporary:
        Path(temporary).write_bytes(text)


def to_onnx(model: Model) -> Any:
    """The `onnx.ModelProto` of a model; raises as `export`."""
    try:
        from onnx import checker, helper  # pyright: ignore
    except ImportError:
        raise MissingExtraError("onnx", "onnx", "writing ONNX files") from None
    program, graph = model.program, Graph()
    inputs, outputs = (_infos(names, t) for names, t in _named(model))
    rank = {slot: len(tensor.shape) for slot, tensor in zip(program.inputs, model.inputs)}
    values = {slot: Value(info.name, rank[slot]) for slot, info in zip(program.inputs, inputs)}
    for call in program.calls:
        values[call.outputs[0]] = _called(graph, call, values)
    for slot, info in zip(program.outputs, outputs):
        result = graph.last(values[slot])
        graph.nodes.append(helper.make_node("Identity", [result.name], [info.name], name=f"{info.name}/output"))
    if graph.size > MOST_BYTES:
        raise UnsupportedError(f"model {model.name} has {graph.size:,} bytes of weights; ONNX files hold 2 GiB")
    made = helper.make_graph(graph.nodes, model.name, inputs, outputs, graph.weights)
    opset = helper.make_opsetid("", OPSET)
    proto = helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION, producer_name="minicnn")
    if model.metadata:
        helper.set_model_props(proto, {"minicnn": json.dumps(model.metadata)})
    checker.check_model(proto)
    return proto


def _called(graph: Graph, call: Call, values: dict[int, Value]) -> Value:
    """The value of one call."""
    layer: Any = call.layer
    kind, graph.layer = type(layer).__name__, layer.name
    if kind not in LAYERS:
        raise UnsupportedError(f"layer {layer.name}: {kind} has no form in ONNX; layers that have are {_known()}")
    if call.training and not layer.deterministic:
        raise UnsupportedError(f"layer {layer.name} ({kind}) is called with training=True, which ONNX does not hold")
    if layer.dtype != np.float32:
        raise UnsupportedError(f"layer {layer.name} ({kind}) is of {layer.dtype}; ONNX files are written for float32")
    arguments = map_arguments(call.arguments, lambda v: values[v.index] if isinstance(v, Slot) else v)
    if kind != "Operation" and isinstance(arguments[0], list | tuple):
        arguments = tuple(arguments[0])
    y = _of_images(graph, layer, *arguments) if _has_channels_first(layer) else LAYERS[kind](graph, layer, *arguments)
    late = isinstance(layer, WindowLayer) and layer.activation != layer.fused
    return activation(graph, y, layer.activation) if late else y


def _has_channels_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first"


def _of_images(graph: Graph, layer: Any, x: Value) -> Value:
    """The value of a layer with channels first: ONNX has images as it has them, so that no axis moves."""
    y = LAYERS[type(layer).__name__](graph, layer, Value(graph.last(x).name, x.rank, x.rank == 4))
    return Value(graph.first(y).name, y.rank) if y.rank == 4 else y


def _known() -> str:
    return ", ".join(sorted(name for name in LAYERS if name != "Operation"))


def _named(model: Model) -> tuple[tuple[list[str], Any], tuple[list[str], Any]]:
    """(names, tensors) of inputs and of outputs; a name that was taken gets a number."""
    taken: set[str] = set()
    return (_free(model.input_names, taken), model.inputs), (_free(model.output_names, taken), model.outputs)


def _free(names: Sequence[str], taken: set[str]) -> list[str]:
    found = []
    for name in names:
        number = 1
        while (free := name if number == 1 else f"{name}_{number}") in taken:
            number += 1
        taken.add(free)
        found.append(free)
    return found


def _infos(names: Sequence[str], tensors: Sequence[SymbolicTensor]) -> list[Any]:
    """What a graph says of its inputs or outputs; sizes that are free have names."""
    from onnx import TensorProto, helper  # pyright: ignore

    return [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["N", *(n or f"{name}_{axis}" for axis, n in enumerate(tensor.shape[1:], 1))]
        )
        for name, tensor in zip(names, tensors)
    ]
