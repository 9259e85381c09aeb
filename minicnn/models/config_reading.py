"""Build a model from a Keras config: Sequential and Functional, as Keras 1, 2 and 3 write them.

A config is data.  Classes come from one closed table (layers.CLASSES, and the models); a name that is not there is
refused with the layer's name, and nothing is ever imported, evaluated or opened because a config says so.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, FileFormatError, GraphError, MinicnnError, UnsupportedError
from minicnn.layers import CLASSES, InputLayer, Layer, Operation, RandomCrop, SymbolicTensor
from minicnn.layers.activations import LAYERS
from minicnn.layers.recurrent import WithStates
from minicnn.layers.symbolic import symbolic_tensors
from minicnn.weights import parse_config

from .config_legacy import (
    CLASS_ALIASES,
    IMPLIED,
    OLD,
    crop_in_inference,
    layer_of_cell,
    modern_config,
    sized_output,
    unmerged,
)
from .config_masks import MASK, TENSOR, mask_operations
from .config_nodes import as_function
from .config_operations import bound, is_operation, operation_of
from .graph import MAX_CALLS
from .model import Model
from .sequential import Sequential

MODELS = ("Sequential", "Functional", "Model")
ARRAYS = ("__numpy__", "__tensor__")
MODES = "minicnn_training"  # of each call of a layer, the mode it was given for good
Reference = tuple[str, int, int]
CallKey = tuple[str, int]
LONGEST_PATH = 4096


def model_from_json(text: str | bytes, keras_version: str | None = None) -> Any:
    """A model without weights from what `model.to_json()` of Keras or minicnn gave.

    Raises
    ------
    ArgumentError, FileFormatError, UnsupportedError, GraphError
        No text; not a model config; a layer that minicnn does not have; a graph that does not hold together.
    """
    if not isinstance(text, str | bytes) or _is_path(text):
        raise ArgumentError(f"model_from_json takes the text of a config, as read from its file; got {text!r:.200}")
    config = parse_config(text, "the model config")
    return model_from_config(config, keras_version)


def _is_path(text: str | bytes) -> bool:
    return len(text) < LONGEST_PATH and (os.fsdecode(text).endswith(".json") or os.path.isfile(text))


def model_from_config(config: dict[str, Any], keras_version: str | None = None) -> Any:
    """A model without weights from a parsed config.

    Examples
    --------
    >>> import json
    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((4,)), Dense(3, name="classes")])
    >>> model_from_config(json.loads(model.to_json())).layers[0].name
    'classes'
    """
    version = str(keras_version or config.get("keras_version") or "3")
    try:
        return _Reader(version).model(config)
    except MinicnnError:
        raise
    except RecursionError:
        raise FileFormatError("the model config is nested too deeply") from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise FileFormatError(
            f"the model config is not as Keras writes it ({type(error).__name__}: {error})"
        ) from error


class _Reader:
    """Reads the entries of one config, whose Keras version decides what some words mean."""

    def __init__(self, version: str):
        self.version = version
        self.count = 0  # of layers, in nested models too

    def model(self, entry: dict[str, Any]) -> Any:
        kind, config = entry.get("class_name"), entry.get("config")
        if kind not in MODELS:
            raise UnsupportedError(
                f"the config is of a {kind!r}; minicnn builds {', '.join(MODELS)}: build the net of layers, then "
                "load_weights(FILE)"
            )
        _refuse_custom(entry, kind)
        if kind == "Sequential":
            return self._sequential(config)
        if not isinstance(config, dict):
            raise FileFormatError(f"the config of a {kind} model must be an object")
        return self._functional(config)

    def layer(self, entry: dict[str, Any], place: str = "") -> Layer:
        """One layer or nested model; refusals call it by its place where the author's class wrote no name."""
        self._count(1)
        kind = entry.get("class_name")
        config = entry.get("config")
        if kind in MODELS:
            model = self.model(entry)
            if isinstance(config, dict) and config.get("trainable") is False:
                model.trainable = False
            return model
        name = (config or {}).get("name") or entry.get("name") or place
        if is_operation(entry):
            return operation_of(entry, name)
        _refuse_custom(entry, name)
        if kind == "Merge":
            kind, config = unmerged(name, config or {})
        if kind == "Deconvolution2D":
            config = sized_output(name, config or {})
        if kind == "RNN":
            kind, config = layer_of_cell(name, config)
        class_name = CLASS_ALIASES.get(str(kind), kind)
        if class_name not in CLASSES:
            raise UnsupportedError(
                f"layer {name!r} is a {kind}, which minicnn does not have: build the net without it and load the "
                "weights with strict=False"
            )
        cls = CLASSES[class_name]
        config = {**IMPLIED.get(str(kind), {}), **(config or {})}
        for key in getattr(cls, "INNER", ()):
            if isinstance(inner := config.get(key), dict):
                config[key] = self.layer(inner, f"the {key} of {name}")
        if isinstance(inner := config.get("activation"), dict) and _is_activation_layer(inner):
            config["activation"] = self.layer(inner, f"the activation of {name}")
        layer = cls.from_config(modern_config(cls, name, config, self.version))
        if isinstance(layer, WithStates):
            layer.masks_with_states = self.version.split(".")[0] in OLD
        if isinstance(layer, RandomCrop):
            layer.in_inference = crop_in_inference(self.version)
        return layer

    def _count(self, number: int) -> None:
        """Count layers, or what operations are split into."""
        self.count += number
        if self.count > MAX_CALLS:
            raise GraphError(f"the config has more than {MAX_CALLS:,} layers, as many as are run")

    def _sequential(self, config: Any) -> Sequential:
        entries = config if isinstance(config, list) else config.get("layers", [])
        name = None if isinstance(config, list) else config.get("name")
        first = 1 - sum(entry.get("class_name") == "InputLayer" for entry in entries[:1])  # as model.layers counts
        layers = [self.layer(entry, f"number {i} of {name or 'the model'}") for i, entry in enumerate(entries, first)]
        model = Sequential(layers, name=name)
        built = None if isinstance(config, list) else config.get("build_input_shape")
        if built and not model.knows_input:
            model.build(tuple(built))
        return model

    def _functional(self, config: dict[str, Any]) -> Model:
        layers: dict[str, Layer] = {}
        calls: dict[str, list[Any]] = {}
        left_out = mask_operations(config)
        for entry in config["layers"]:
            name = entry.get("name") or entry["config"]["name"]
            if name in left_out:
                continue
            entry = as_function(entry)
            if name in layers:
                raise GraphError(f"the config has two layers named {name}")
            layers[name] = self.layer(entry)
            calls[name] = list(entry.get("inbound_nodes") or [])
            if entry.get(MODES):
                calls[name] = [{**node, MODES: mode} for node, mode in zip(calls[name], entry[MODES])]
        results = _references(config["output_layers"])
        if any(isinstance(node, dict) for nodes in calls.values() for node in nodes):
            first = dict.fromkeys(calls, 0)
            results = [(name, max(n - _is_functional(layers.get(name)), 0), t) for name, n, t in results]
        else:
            first = _first_calls(layers, calls, results)
        nodes = {(name, first[name] + i): node for name, nodes in calls.items() for i, node in enumerate(nodes)}
        tensors = self._connect(layers, nodes)
        inputs = [self._find(tensors, reference) for reference in _references(config["input_layers"])]
        outputs = [self._find(tensors, reference) for reference in results]
        return Model(inputs, outputs, name=config.get("name"))

    def _connect(self, layers: dict[str, Layer], nodes: dict[CallKey, Any]) -> dict[Reference, SymbolicTensor]:
        """Call every layer as its inbound nodes say, each when its arguments are there."""
        tensors = {(name, 0, 0): layer.output for name, layer in layers.items() if isinstance(layer, InputLayer)}
        waiting: dict[CallKey, set[CallKey]] = {}
        users: dict[CallKey, list[CallKey]] = defaultdict(list)
        for key, node in nodes.items():
            sources = {source[:2] for source in _sources(node)}
            if missing := sorted(name for name, _ in sources if name not in layers):
                raise GraphError(f"layer {key[0]} takes its input from {missing[0]!r}, which the config does not have")
            if (earlier := (key[0], key[1] - 1)) in nodes:
                sources.add(earlier)
            waiting[key] = {source for source in sources if (*source, 0) not in tensors}
            for source in waiting[key]:
                users[source].append(key)
        ready = [key for key, sources in waiting.items() if not sources]
        for key in ready:  # grows as calls become ready
            for index, tensor in enumerate(self._call(layers[key[0]], nodes[key], tensors)):
                tensors[*key, index] = tensor
            del waiting[key]
            for user in users[key]:
                waiting[user].discard(key)
                if not waiting[user]:
                    ready.append(user)
        if waiting:
            names = sorted({name for name, _ in waiting})
            raise GraphError(f"the config has a cycle, or a call that never comes, through {', '.join(names[:4])}")
        return tensors

    def _call(self, layer: Layer, node: Any, tensors: dict[Reference, SymbolicTensor]) -> list[SymbolicTensor]:
        if isinstance(layer, Operation):
            operands = [_resolve(value, tensors) for value in bound(layer.function, node)[0]]
            result = layer(*(np.array(v, np.float32) if _is_array(v) else v for v in operands))
            results = result if isinstance(result, list) else [result]
            self._count(len(results) - 1)
            return results
        arguments, training = _arguments(node, tensors)
        if len(arguments) > 1:
            arguments = (list(arguments),)
        result = layer(*arguments) if training is None else layer(*arguments, training=training)
        return result if isinstance(result, list) else [result]

    @staticmethod
    def _find(tensors: dict[Reference, SymbolicTensor], reference: Reference) -> SymbolicTensor:
        if reference not in tensors:
            raise GraphError(f"the config names {reference[0]!r} as input or output, which it does not have")
        return tensors[reference]


def _is_array(value: Any) -> bool:
    """Whether a value is numbers in lists, as Keras 2 writes a constant."""
    return isinstance(value, list) and not any(True for _ in symbolic_tensors(value))


def _is_activation_layer(entry: dict[str, Any]) -> bool:
    """Whether an activation is a layer of those that may be one."""
    kind = str(entry.get("class_name"))
    return CLASS_ALIASES.get(kind, kind) in LAYERS and isinstance(entry.get("config"), dict)


def _is_functional(layer: Layer | None) -> bool:
    return isinstance(layer, Model) and not isinstance(layer, Sequential)


def _first_calls(layers: dict[str, Layer], calls: dict[str, list[Any]], results: list[Reference]) -> dict[str, int]:
    """The number by which Keras 2 names each layer's first call: 1 for most nested models, whose making is call 0."""
    named = [*results, *(source for nodes in calls.values() for node in nodes for source in _sources(node))]
    first = dict.fromkeys(calls, 0)
    for name, layer in layers.items():
        if isinstance(layer, Model):
            first[name] = min((number for other, number, _ in named if other == name), default=0)
    return first


def _refuse_custom(entry: dict[str, Any], name: str) -> None:
    """Refuse classes from elsewhere than Keras."""
    module, registered = entry.get("module"), entry.get("registered_name")
    outside = module and str(module).partition(".")[0] not in ("keras", "tf_keras", "tensorflow")
    kind = entry.get("class_name")
    registered = registered or (kind if ">" in str(kind) else None)  # "package>Class", as Keras 2 names it
    custom = registered and ">" in str(registered) and not str(registered).startswith("keras")
    custom = custom or (registered and "module" in entry and module is None)  # a class that only its author has
    if outside or custom:
        own = str(kind).rpartition(">")[2]
        raise UnsupportedError(
            f"layer {name!r} is {own!r} of {registered or module!r}, which is code of the file's author; minicnn runs "
            "no code from files"
        )


def _references(value: Any) -> list[Reference]:
    """Input or output layers: one flat reference, a list of them, or a dict, which Keras takes in the order of keys."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if value and isinstance(value[0], str):
        value = [value]
    return [(str(name), int(node), int(tensor)) for name, node, tensor, *_ in value]


def _sources(node: Any) -> list[Reference]:
    """The tensors that a call names."""
    return list(_tensor_references(node))


def _tensor_references(value: Any) -> Iterator[Reference]:
    if _is_reference(value):
        if value[0] != "_CONSTANT_VALUE":
            yield (value[0], value[1], value[2])
        yield from _tensor_references(value[3] if len(value) > 3 else {})
    elif isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            name, node, tensor = value["config"]["keras_history"]
            yield (str(name), int(node), int(tensor))
        else:
            for key, item in value.items():
                if key != MASK:
                    yield from _tensor_references(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensor_references(item)


def _is_reference(value: Any) -> bool:
    """Keras 2's ["layer", node, tensor] or ["layer", node, tensor, {kwargs}]."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and isinstance(value[-1] if len(value) == 4 else {}, dict)
    )


def _arguments(node: Any, tensors: dict[Reference, SymbolicTensor]) -> tuple[tuple[Any, ...], bool | None]:
    """(arguments, training) of a call, in Keras 3's spelling {"args", "kwargs"} or Keras 2's list."""
    if isinstance(node, dict):
        kwargs = node.get("kwargs") or {}
        extra = [v for k, v in kwargs.items() if k not in ("training", "mask") and v is not None]
        arguments = tuple(_resolve(value, tensors) for value in [*node.get("args", []), *extra])
        return arguments, node.get(MODES)  # Keras 3 writes a "training" into every call, and overrides it
    found: list[Any] = []
    training = None
    for reference in [node] if _is_reference(node) else node:
        kwargs = reference[3] if len(reference) > 3 else {}
        found.append(reference[2] if reference[0] == "_CONSTANT_VALUE" else tensors[tuple(reference[:3])])
        training = kwargs.get("training", training)
        other = [v for k, v in kwargs.items() if k not in ("training", "mask", "name") and v is not None]
        found += [_resolve(value, tensors) for value in other]
    return tuple(found), training


def _resolve(value: Any, tensors: dict[Reference, SymbolicTensor]) -> Any:
    """A value of a call with its references replaced by tensors."""
    if isinstance(value, dict) and value.get("class_name") == TENSOR:
        name, node, tensor = value["config"]["keras_history"]
        return tensors[str(name), int(node), int(tensor)]
    if isinstance(value, dict) and value.get("class_name") in ARRAYS:
        return np.array(value["config"]["value"], np.float32)
    if _is_reference(value):
        return tensors[value[0], value[1], value[2]]
    if isinstance(value, dict) and "class_name" not in value:  # the inputs of a model by name
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return [_resolve(item, tensors) for item in value]
    return value
