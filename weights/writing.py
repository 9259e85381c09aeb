"""Write the four files that Keras opens: legacy weights, legacy model, `.weights.h5` and `.keras`; and safetensors.

Arrays are aligned with the weights of the spec, depth first (`spec.leaves`).
"""

import json
import os
import time
import zipfile
from collections.abc import Sequence

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from . import safetensors
from .archive import CONFIG, METADATA, OWN, WEIGHTS
from .atomic import replacing
from .hdf5.writer import HDF5Writer
from .spec import LayerSpec, Leaf, groups, leaves, snake_case

KERAS_VERSION = "3.15.1"  # whose formats these are; Keras converts the weights of versions below 2


def save_legacy_weights(path: str | os.PathLike, spec: LayerSpec, arrays: Sequence[np.ndarray]) -> None:
    """Write a legacy weights-only .h5, the format of the published keras.applications files.

    Parameters
    ----------
    path : path
    spec : LayerSpec
        The model; weights that are not trainable now are listed last, as Keras expects them.
    arrays : sequence of ndarray

    Raises
    ------
    ShapeError, ArgumentError
        The arrays are not those of the spec, or a name cannot be stored.
    FileAccessError
        The file cannot be written; a file that was there is kept.
    """
    values = _checked(spec, arrays)
    with replacing(path) as temporary, HDF5Writer(temporary) as file:
        _write_legacy(file, "/", spec, values)


def save_legacy_model(
    path: str | os.PathLike,
    spec: LayerSpec,
    arrays: Sequence[np.ndarray],
    config: dict,
    training_config: dict | None = None,
    metadata: dict | None = None,
) -> None:
    """Write a legacy full-model .h5: architecture and weights. `metadata` goes into the attribute `minicnn`.

    Raises as `save_legacy_weights`.
    """
    values = _checked(spec, arrays)
    texts = {"model_config": config, "training_config": training_config, "minicnn": metadata}
    attributes = {name: _json(value, name) for name, value in texts.items() if value is not None}
    with replacing(path) as temporary, HDF5Writer(temporary) as file:
        for name, text in attributes.items():
            file.text("/", name, text)
        file.text("/", "keras_version", KERAS_VERSION)
        file.text("/", "backend", "tensorflow")
        file.group("/model_weights")
        _write_legacy(file, "/model_weights/", spec, values)


def save_keras_weights(path: str | os.PathLike, spec: LayerSpec, arrays: Sequence[np.ndarray]) -> None:
    """Write a Keras 3 `.weights.h5` file. Raises as `save_legacy_weights`."""
    values = _checked(spec, arrays)
    with replacing(path) as temporary, HDF5Writer(temporary) as file:
        _write_keras3(file, spec, values)


def save_keras_archive(
    path: str | os.PathLike, spec: LayerSpec, arrays: Sequence[np.ndarray], config: dict, metadata: dict | None = None
) -> None:
    """Write a Keras 3 `.keras` archive. `metadata` becomes the member `minicnn.json`, which Keras ignores.

    Raises as `save_legacy_weights`.
    """
    values = _checked(spec, arrays)
    saved = {"keras_version": KERAS_VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    texts = {METADATA: saved, CONFIG: config, OWN: metadata}
    members = {name: _json(value, name) for name, value in texts.items() if value is not None}
    with replacing(path) as temporary:
        weights = temporary.with_suffix(".h5")
        try:
            with HDF5Writer(weights) as file:
                _write_keras3(file, spec, values)
            with zipfile.ZipFile(temporary, "w") as archive:
                for name, text in members.items():
                    archive.writestr(name, text)
                archive.write(weights, WEIGHTS)
        finally:
            weights.unlink(missing_ok=True)


def save_safetensors(path: str | os.PathLike, spec: LayerSpec, arrays: Sequence[np.ndarray]) -> None:
    """Write a safetensors file, each array under "layer/weight". Raises as `save_legacy_weights`."""
    values = _checked(spec, arrays)
    names = [f"{leaf.path}/{weight.name}" for leaf in leaves(spec) for weight in leaf.layer.weights]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ArgumentError(f"the model {spec.name!r} has two weights named {twice!r}: rename a layer")
    safetensors.write(path, dict(zip(names, values)), {"format": "minicnn"})


def _checked(spec: LayerSpec, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The arrays, when they are those of the spec and every name can be stored."""
    slots = [(leaf, weight) for leaf in leaves(spec) for weight in leaf.layer.weights]
    values = [np.asarray(array) for array in arrays]
    if len(values) != len(slots):
        raise ShapeError(f"the model {spec.name!r} has {len(slots)} weights, {len(values)} arrays were given")
    for (leaf, weight), value in zip(slots, values):
        if value.shape != tuple(weight.shape) or value.dtype.kind not in "fiu":
            what = f"{value.dtype} {value.shape}"
            raise ShapeError(f"{leaf.path}/{weight.name}: expected {tuple(weight.shape)}, got {what}")
    _check_names(spec)
    return values


def _check_names(spec: LayerSpec) -> None:
    """Refuse names that would lead elsewhere in the file, at every depth."""
    for layer in spec.layers or ():
        parts = layer.name.split("/")
        if not parts[0] or "\0" in layer.name or {".", ".."} & {*parts}:
            raise ArgumentError(f"the layer name {layer.name!r} cannot be stored in a file: rename the layer")
        for name in (layer.name, *(weight.name for weight in layer.weights)):
            if any("\ud800" <= character <= "\udfff" for character in name):  # half a pair, which UTF-8 cannot hold
                raise ArgumentError(f"the name {name!r} is no text: rename the layer or weight")
        _check_names(layer)


def _json(value: dict, name: str) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name} cannot be written as JSON: {error}") from None


def _write_legacy(file: HDF5Writer, root: str, spec: LayerSpec, values: list[np.ndarray]) -> None:
    """One group a top-level layer, made in the order of names, so that "a" exists before "a/b"."""
    stored: dict[str, list[tuple[bool, str, np.ndarray]]] = {layer.name: [] for layer in spec.layers or ()}
    wrappers = {layer.name for layer in spec.layers or () if layer.is_wrapper}
    for leaf in leaves(spec):
        top = leaf.names[0]
        owner = _legacy_owner(leaf, wrapped=top in wrappers)
        for i, weight in enumerate(leaf.layer.weights):
            name = f"{owner}/{weight.name}:0"
            stored[top].append((weight.trainable, name, values[leaf.first + i]))
    file.names(root, "layer_names", list(stored))
    file.text(root, "backend", "tensorflow")
    file.text(root, "keras_version", KERAS_VERSION)
    for layer in sorted(stored):
        weights = sorted(stored[layer], key=lambda weight: not weight[0])
        file.group(f"{root}{layer}")
        file.names(f"{root}{layer}", "weight_names", [name for _, name, _ in weights])
        for _, name, value in weights:
            file.dataset(f"{root}{layer}/{name}", value)


def _legacy_owner(leaf: Leaf, wrapped: bool) -> str:
    """What comes before a weight's own name: "conv1", "lstm/lstm_cell", "bidirectional/forward_lstm/lstm_cell"."""
    names = leaf.names if wrapped else leaf.names[1:] or leaf.names
    group = leaf.layer.weights_group
    return "/".join([*names, f"{snake_case(leaf.layer.class_name)}_{group}"] if group else names)


def _write_keras3(file: HDF5Writer, spec: LayerSpec, values: list[np.ndarray]) -> None:
    """A group `vars` for every layer and model, with its name; arrays by number."""
    first = {leaf.group: leaf.first for leaf in leaves(spec)}
    models = [("", spec)]
    while models:
        place, model = models.pop()
        _write_variables(file, place, model.name, [])
        for group, layer in groups(model, place):
            if layer.layers is not None:
                models.append((f"{group}/", layer))
            else:
                start = first.get(group, 0)
                own = values[start : start + len(layer.weights)]
                if layer.weights_group:
                    _write_variables(file, f"{group}/", layer.name, [])
                    cell = f"{snake_case(layer.class_name)}_{layer.weights_group}"
                    _write_variables(file, f"{group}/{layer.weights_group}/", cell, own)
                else:
                    _write_variables(file, f"{group}/", layer.name, own)


def _write_variables(file: HDF5Writer, place: str, name: str, values: list[np.ndarray]) -> None:
    file.group(f"{place}vars")
    file.text(f"{place}vars", "name", name)
    for i, value in enumerate(values):
        file.dataset(f"{place}vars/{i}", value)
