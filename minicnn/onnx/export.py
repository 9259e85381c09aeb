"""A model as an ONNX graph: the calls of its layers one after another, inputs and outputs as in Keras (N,H,W,C).

The number of samples is free, and the sides of images where the model leaves them free.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minicnn.errors import ArgumentError, MissingExtraError, UnsupportedError
from minicnn.layers import SymbolicTensor
from minicnn.models import Model
from minicnn.weights.atomic import replacing

from .calls import new_graph, run
from .graph import Value

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
        raise ArgumentError(f"export: {os.fspath(path)!r} must end in .onnx")
    text = to_onnx(model).SerializeToString()
    with replacing(path) as temporary:
        Path(temporary).write_bytes(text)


def to_onnx(model: Model) -> Any:
    """The `onnx.ModelProto` of a model; raises as `export`."""
    try:
        from onnx import checker, helper  # pyright: ignore
    except ImportError:
        raise MissingExtraError("onnx", "onnx", "writing ONNX files") from None
    graph = new_graph()
    inputs, outputs = (_infos(names, t) for names, t in _named(model))
    given = [Value(info.name, len(t.shape), shape=t.shape) for info, t in zip(inputs, model.inputs)]
    for value, info in zip(run(graph, model.program, given), outputs):
        result = graph.last(value)
        graph.nodes.append(helper.make_node("Identity", [result.name], [info.name], name=f"{info.name}/output"))
    graph.keep([info.name for info in outputs])
    if graph.size > MOST_BYTES:
        raise UnsupportedError(f"model {model.name} has {graph.size:,} bytes of weights; ONNX files hold 2 GiB")
    made = helper.make_graph(graph.nodes, model.name, inputs, outputs, graph.weights)
    opset = helper.make_opsetid("", OPSET)
    proto = helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION, producer_name="minicnn")
    if model.metadata:
        helper.set_model_props(proto, {"minicnn": json.dumps(model.metadata)})
    checker.check_model(proto)
    return proto


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
