"""Write a model as the config that Keras 3 reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.layers import Conv1D, Layer, Operation
from minicnn.layers.augmentation import KERAS2_ALONE
from minicnn.layers.core import InputLayer
from minicnn.layers.functions import TENSORFLOW_ALONE
from minicnn.layers.symbolic import Node, SymbolicTensor

from .config_legacy import KERAS2_HARD_SIGMOID
from .config_masks import TENSOR
from .config_reading import ARRAYS, MODES
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
    calls = {id(node.layer): node for node in model.graph.nodes}
    layers = [_layer(source), *(_layer(layer, calls[id(layer)]) for layer in model.layers)]
    config = {"name": model.name, "trainable": _is_trained(model), "dtype": str(model.dtype), "layers": layers}
    config["build_input_shape"] = list(model.inputs[0].shape)
    return _entry("keras", "Sequential", config, {"input_shape": list(model.inputs[0].shape)})


def _is_trained(model: Model) -> bool:
    """What a config may say of a model: False freezes all its layers, so not when one of them is trained after all."""
    return model.trainable or bool(model.trainable_weights)


class _References:
    """How a config names tensors: [layer, number of its call, output].

    An input that another layer makes, in a model that was cut from a larger one, is given an InputLayer of its own.
    """

    def __init__(self, model: Model):
        self.calls: dict[int, list[Node]] = {}
        self.cuts: dict[tuple[int, int], str] = {}
        self.numbers: dict[int, int] = {}
        names = {layer.name for layer in model.graph.layers}
        for tensor in model.inputs:
            if not isinstance(tensor.node.layer, InputLayer):
                name = f"{tensor.node.layer.name}_input"
                while name in names:
                    name += "_"
                names.add(name)
                self.cuts[id(tensor.node), tensor.index] = name
        for node in model.graph.nodes:
            if node.inputs:
                self.calls.setdefault(id(node.layer), []).append(node)
        for nodes in self.calls.values():
            nodes.sort(key=lambda node: node.index)
            self.numbers.update({id(node): position for position, node in enumerate(nodes)})

    def of(self, tensor: SymbolicTensor) -> list[Any]:
        """The reference to a tensor, as arguments hold it."""
        cut = self.cuts.get((id(tensor.node), tensor.index))
        name = tensor.node.layer.name if cut is None else cut
        return [name, self.numbers.get(id(tensor.node), 0), tensor.index if cut is None else 0]

    def of_all(self, tensors: list[SymbolicTensor]) -> list[Any]:
        """References to the ends of a model: one flat, several in a list; the making of a Functional is its call 0."""
        found = []
        for tensor in tensors:
            layer = tensor.node.layer
            cut = (id(tensor.node), tensor.index) in self.cuts
            functional = hasattr(layer, "graph") and not isinstance(layer, Sequential) and not cut
            name, number, output = self.of(tensor)
            found.append([name, number + functional, output])
        return found[0] if len(found) == 1 else found


def _functional(model: Model) -> dict[str, Any]:
    references = _References(model)
    layers = [
        _input(tensor, references) for tensor in model.inputs if (id(tensor.node), tensor.index) in references.cuts
    ]
    for layer in model.graph.layers:
        own = references.calls.get(id(layer), [])
        entry = _layer(layer, *own[:1]) | {
            "name": layer.name,
            "inbound_nodes": [_call(node, references) for node in own],
        }
        if any(node.training is not None for node in own):
            entry[MODES] = [node.training for node in own]
        layers.append(entry)
    config = {
        "name": model.name,
        "trainable": _is_trained(model),
        "layers": layers,
        "input_layers": references.of_all(model.inputs),
        "output_layers": references.of_all(model.outputs),
    }
    return _entry("keras.src.models.functional", "Functional", config, {"input_shape": None}, "Functional")


def _input(tensor: SymbolicTensor, references: _References) -> dict[str, Any]:
    """The InputLayer of an input that another layer makes."""
    layer = InputLayer(tensor.shape[1:], dtype=tensor.dtype.name, name=references.of(tensor)[0])
    return _layer(layer) | {"name": layer.name, "inbound_nodes": []}


def _layer(layer: Layer, call: Node | None = None) -> dict[str, Any]:
    """The entry of a layer; its first call in this model says the shape it is built for."""
    if hasattr(layer, "graph"):
        return model_config(layer)  # type: ignore[arg-type]
    config = layer.get_config()
    if _names_activation(config, KERAS2_HARD_SIGMOID):
        raise UnsupportedError(
            f"layer {layer.name}: its hard_sigmoid is Keras 2's, clip(0.2 x + 0.5, 0, 1), which Keras 3 files cannot "
            "say; save the weights alone, or change the activation"
        )
    if config.get("padding") == "causal" and not isinstance(layer, Conv1D):
        raise UnsupportedError(f"layer {layer.name}: Keras 3 has no {type(layer).__name__} with padding='causal'")
    if type(layer).__name__ in KERAS2_ALONE:
        raise UnsupportedError(f"layer {layer.name}: Keras 3 has no {type(layer).__name__}; take the layer out to save")
    if isinstance(layer, Operation):
        if layer.function == "Identity":  # as it came, or as what else of Keras 3 gives what it is given
            return _entry("keras.src.ops.core", "Cast", config | {"dtype": layer.dtype.name}, None, "Cast")
        if layer.function in TENSORFLOW_ALONE:
            raise UnsupportedError(f"operation {layer.name}: Keras 3 has no {layer.function}; save the weights alone")
        return _entry(layer.module, layer.function, config, None, layer.function)
    build = {"build_config": {"input_shape": list(call.inputs[0].shape)}} if layer.weights and call else {}
    return layer.to_entry() | build


def _names_activation(config: Any, name: str) -> bool:
    """Whether a layer, or one in it, has an activation of that name."""
    if isinstance(config, list):
        return any(_names_activation(item, name) for item in config)
    if not isinstance(config, dict):
        return False
    own = any(value == name for key, value in config.items() if key.endswith("activation"))
    return own or any(_names_activation(item, name) for item in config.values())


def _entry(
    module: str, class_name: str, config: dict[str, Any], build: dict[str, Any] | None, registered: str | None = None
) -> dict[str, Any]:
    entry = {"module": module, "class_name": class_name, "config": config, "registered_name": registered}
    return entry if build is None else {**entry, "build_config": build}


def _call(node: Node, references: _References) -> dict[str, Any]:
    args, kwargs = node.layer.split_arguments(node.arguments)
    mode = {} if node.training is None else {"training": node.training}
    return {
        "args": _argument(args, references),
        "kwargs": {k: _argument(v, references) for k, v in kwargs.items()} | mode,
    }


def _argument(value: Any, references: _References) -> Any:
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": {"start": value.start, "stop": value.stop, "step": value.step}}
    if isinstance(value, (list, tuple)):
        return [_argument(item, references) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return {"class_name": ARRAYS[0], "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if not isinstance(value, SymbolicTensor):
        return value
    config = {"shape": list(value.shape), "dtype": str(value.dtype), "keras_history": references.of(value)}
    return {"class_name": TENSOR, "config": config}
