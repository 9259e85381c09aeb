"""The layers of a file as a person reads them: in the order of the model's config, their weights by role.

Keras 3 files list layers by class and number (all BatchNormalizations, then all Conv2Ds) and call weights 0, 1, 2.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .entries import LayerEntry, WeightEntry, WeightFile
from .roles import layer_of, role_of
from .spec import PARTS, LayerSpec, groups, snake_case
from .state_dict import OWN, PYTORCH

ROLES = {  # in the order of Keras' layers
    "Dense": ("kernel", "bias"),
    "Conv1D": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "Conv3D": ("kernel", "bias"),
    "Conv1DTranspose": ("kernel", "bias"),
    "Conv2DTranspose": ("kernel", "bias"),
    "Conv3DTranspose": ("kernel", "bias"),
    "DepthwiseConv1D": ("kernel", "bias"),
    "DepthwiseConv2D": ("kernel", "bias"),
    "SeparableConv1D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "LayerNormalization": ("gamma", "beta"),
    "GroupNormalization": ("gamma", "beta"),
    "PReLU": ("alpha",),
    "Embedding": ("embeddings",),
    "ConvLSTM2D": ("kernel", "recurrent_kernel", "bias"),
    "SimpleRNN": ("kernel", "recurrent_kernel", "bias"),
    "LSTM": ("kernel", "recurrent_kernel", "bias"),
    "GRU": ("kernel", "recurrent_kernel", "bias"),
}
OPTIONAL = {
    "bias": "use_bias",
    "gamma": "scale",
    "beta": "center",
}  # role -> the argument that says whether it is there
SNAKES = {snake_case(name): name for name in ROLES}


@dataclass(frozen=True)
class LayerContents:
    """A layer of a file; `class_name` is None where nothing says it, a role where it is not known."""

    name: str
    class_name: str | None
    weights: list[tuple[str | None, WeightEntry]]


def contents(file: WeightFile) -> list[LayerContents]:
    """All layers of a file, those without weights too."""
    if file.format in (OWN, PYTORCH):
        return [LayerContents(entry.name, None, [(w.name, w) for w in entry.weights]) for entry in file.layers]
    configs = dict(_configs(file.config, "", file.is_legacy))
    order = {place: position for position, place in enumerate(configs)}
    # A stable sort: what the config does not know stays in the order of the file, at the end.
    entries = sorted(file.layers, key=lambda entry: order.get(entry.path, len(order)))
    return [_contents(entry, configs.get(entry.path), file.is_legacy) for entry in entries]


def _configs(model: Any, place: str, legacy: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """(group of the file, entry of the config) of all layers, nested ones after the model that they are in."""
    entries = _layers(model)
    specs = [LayerSpec(_name(entry) or "", str(entry.get("class_name"))) for entry in entries]
    for (group, spec), entry in zip(groups(LayerSpec("", "", layers=specs), place), entries):
        path = spec.name if legacy else group
        yield path, entry
        if not legacy:  # in legacy files the weights of a nested model are in the one group of that model
            yield from _inside(entry, path)


def _inside(entry: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(group, entry) of what a nested model or a wrapper holds."""
    yield from _configs(entry, f"{path}/", legacy=False)
    for group, key in PARTS.get(str(entry.get("class_name")), {}).items():
        config = entry.get("config")
        inner = config.get(key) if isinstance(config, dict) else None
        if isinstance(inner, dict):
            yield f"{path}/{group}", inner
            yield from _inside(inner, f"{path}/{group}")


def _layers(model: Any) -> list[dict[str, Any]]:
    """The entries of a model's layers; a config is data from a file, so it may be anything."""
    config = model.get("config") if isinstance(model, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else config
    found = [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    return [layer for layer in found if not str(layer.get("module", "")).startswith("keras.src.ops")]


def _name(entry: dict[str, Any]) -> str | None:
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else None


def _contents(entry: LayerEntry, config: dict[str, Any] | None, legacy: bool) -> LayerContents:
    if legacy:
        class_name = None if config is None else str(config.get("class_name"))
        return LayerContents(entry.name, class_name, [(_said_role(entry, weight), weight) for weight in entry.weights])
    component = entry.path.rsplit("/", 1)[-1]
    class_name = SNAKES.get(re.sub(r"_\d+$", "", component)) if config is None else str(config.get("class_name"))
    roles = _roles(class_name, None if config is None else config.get("config"), len(entry.weights))
    name = entry.name if entry.name != component or config is None else _name(config) or component
    return LayerContents(name, class_name, list(zip(roles, entry.weights)))


def _said_role(entry: LayerEntry, weight: WeightEntry) -> str | None:
    """The role in a legacy name, when the rest is the layer's; TensorFlow 1 numbered them: "conv1_3/kernel:0"."""
    layer, own = layer_of(weight.name).split("/")[-1], entry.name.split("/")[-1]
    return role_of(weight.name) if own in (layer, re.sub(r"_\d+$", "", layer)) else None


def _roles(class_name: str | None, config: Any, count: int) -> list[str | None]:
    """The roles of `count` weights in the order of a class: by its arguments, or where one choice alone has so many."""
    roles = ROLES.get(class_name or "", ())
    optional = [role for role in roles if role in OPTIONAL]
    if isinstance(config, dict):
        choices = [[role for role in optional if config.get(OPTIONAL[role]) is False]]
    else:
        absent = len(roles) - count
        choices = list(itertools.combinations(optional, absent)) if absent >= 0 else []
    found = [[role for role in roles if role not in choice] for choice in choices]
    return list(found[0]) if len(found) == 1 and len(found[0]) == count else [None] * count
