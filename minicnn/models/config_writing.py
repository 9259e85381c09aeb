"""Write a model as the config that Keras 3 reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.layers import Layer, Operation
from minicnn.layers.symbolic import Node, SymbolicTensor

from .config_legacy import KERAS2_HARD_SIGMOID
from .config_reading import ARRAY, MODES, TENSOR
from .sequential import Sequential

if TYPE_CHECKING:
    from .model import Model


def model_config(model: Model) -> dict[str, Any]:
    """The config of a model, nested models included.

    Raises
    ------
    UnsupportedError
        The model uses something that Keras 3 does not have.
    """
    if isinstance(model, Sequential):
        return _sequential(model)
    return _functional(model)


def _sequential(model: Sequential) -> dict[str, Any]:
    source = model.inputs[0].node.layer
    layers = [_layer(source), *(_layer(layer) for layer in model.layers)]
    config = {"name": model.name, "trainable": model.trainable, "dtype": str(model.dtype), "layers": layers}
    config["build_input_shape"] = list(model.inputs[0].shape)
    return _entry("keras", "Sequential", config, {"input_shape": list(model.inputs[0].shape)})


def _functional(model: Model) -> dict[str, Any]:
    given = {id(tensor.node) for tensor in model.inputs}
    numbers: dict[int, int] = {}
    calls: dict[int, list[Node]] = {}
    for node in model.graph.nodes:
        nodes = calls.setdefault(id(node.layer), [])
        nodes.append(node)
    for nodes in calls.values():
        nodes.sort(key=lambda node: node.index)
        numbers.update({id(node): position for position, node in enumerate(nodes)})
    layers = []
    for layer in model.graph.layers:
        entry = _layer(layer)
        entry["name"] = layer.name
        own = [node for node in calls.get(id(layer), []) if id(node) not in given]
        entry["inbound_nodes"] = [_call(node, numbers) for node in own]
        if any(node.training is not None for node in own):
            entry[MODES] = [node.training for node in own]
        layers.append(entry)
    config = {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _references(model.inputs, numbers),
        "output_layers": _references(model.outputs, numbers),
    }
    return _entry("keras.src.models.functional", "Functional", config, {"input_shape": None}, "Functional")


def _layer(layer: Layer) -> dict[str, Any]:
    if hasattr(layer, "graph"):
        return model_config(layer)  # type: ignore[arg-type]
    config = layer.get_config()
    if config.get("activation") == KERAS2_HARD_SIGMOID:
        raise UnsupportedError(
            f"layer {layer.name}: its hard_sigmoid is Keras 2's, clip(0.2 x + 0.5, 0, 1), which Keras 3 files cannot "
            "say; save the weights alone, or change the activation"
        )
    if isinstance(layer, Operation):
        return _entry(layer.module, layer.function, config, None, layer.function)
    build = {"input_shape": list(layer.nodes[0].inputs[0].shape)} if layer.weights and layer.nodes else None
    return _entry("keras.layers", type(layer).__name__, config, build)


def _entry(
    module: str, class_name: str, config: dict[str, Any], build: dict[str, Any] | None, registered: str | None = None
) -> dict[str, Any]:
    entry = {"module": module, "class_name": class_name, "config": config, "registered_name": registered}
    return entry if build is None else {**entry, "build_config": build}


def _call(node: Node, numbers: dict[int, int]) -> dict[str, Any]:
    kwargs = {} if node.training is None else {"training": node.training}
    return {"args": [_argument(value, numbers) for value in node.arguments], "kwargs": kwargs}


def _argument(value: Any, numbers: dict[int, int]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_argument(item, numbers) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return {"class_name": ARRAY, "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if not isinstance(value, SymbolicTensor):
        return value
    history = [value.node.layer.name, numbers[id(value.node)], value.index]
    config = {"shape": list(value.shape), "dtype": str(value.dtype), "keras_history": history}
    return {"class_name": TENSOR, "config": config}


def _references(tensors: list[SymbolicTensor], numbers: dict[int, int]) -> list[Any]:
    """Keras 3 writes a single reference flat, several as a list, and counts the making of a Functional as call 0."""
    found = []
    for tensor in tensors:
        layer = tensor.node.layer
        functional = hasattr(layer, "graph") and not isinstance(layer, Sequential)
        found.append([layer.name, numbers.get(id(tensor.node), 0) + functional, tensor.index])
    return found[0] if len(found) == 1 else found
