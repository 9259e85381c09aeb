"""Between models and the files of minicnn.weights: load, save, and whole models from files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import weights
from minicnn.autograd import Parameter
from minicnn.errors import ArgumentError, FileFormatError, MinicnnError, UnsupportedError, WeightsMismatchError
from minicnn.layers import Layer
from minicnn.weights.spec import leaves

from .compile_config import compile_config, restore
from .config_legacy import KERAS_THAT_CROPS, crop_in_inference
from .config_reading import model_from_config
from .model import Model

DOUBTS_SAID = 3  # of the weights of one file: after training that went wrong, all of them are NaN


def load_model(path: str | Path, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Model:
    """The model of a `.keras` file or a full-model `.h5` of Keras 1, 2 or 3, with its weights.

    It is compiled as it was, where the file says so and names what is known here, unless `compile` is False; the
    optimizer's state is not read.  `custom_objects` and `safe_mode` are Keras': minicnn takes no classes and is always
    in safe mode.

    Nothing in the file is run: layers come from a closed table, and custom classes and Lambdas are refused by name.
    What is doubtful (NaN weights, a negative variance) is said in a Python warning.

    Raises
    ------
    FileAccessError, FileFormatError, UnsupportedError, WeightsMismatchError
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError(f"load_model takes the path of a file; got {path!r}")
    if custom_objects or not safe_mode:
        raise UnsupportedError("load_model takes no custom_objects and no safe_mode=False: it runs no code for a file")
    with weights.open_weights(path) as file:
        if file.config is None:
            raise FileFormatError(
                f"{path} holds weights but no architecture; build the model, then model.load_weights({str(path)!r}); "
                "minicnn inspect FILE says which model it is"
            )
        model, report = _model_of(file)
        model.metadata = dict(file.metadata or {})
        if compile:
            restore(model, file.training_config or file.config.get("compile_config"))
    _say_doubts(report, 3)
    return model


def _model_of(file: weights.WeightFile) -> tuple[Model, weights.LoadReport]:
    """The model that a file describes, with its weights.

    Since 3.8 Keras makes the weights after a RandomCrop for cropped images, in inference it no longer crops them: where
    the weights fit no other images, it cannot run the model.  Here they are cropped as before.
    """
    try:
        return _filled(file, file.keras_version)
    except MinicnnError:
        if crop_in_inference(file.keras_version or "3") != "keep" or "'RandomCrop'" not in repr(file.config):
            raise
        found = None
        with suppress(MinicnnError):
            found = _filled(file, KERAS_THAT_CROPS)
        if found is None:
            raise
    model, report = found
    report.warnings.append(
        "the weights only fit images that RandomCrop has cropped: it gives their middle, resized, as before Keras 3.6; "
        "later ones leave images as they are"
    )
    return model, report


def _filled(file: weights.WeightFile, version: str | None) -> tuple[Model, weights.LoadReport]:
    """The model of a file, read as one of that version of Keras."""
    assert file.config is not None
    with _naming(file.path, file.keras_version):
        model = model_from_config(file.config, version)
    return model, _load(model, file, strict=True)


@contextmanager
def _naming(path: str | Path, version: str | None) -> Iterator[None]:
    """Put the file, and the Keras that wrote it, before what is wrong with its config."""
    try:
        yield
    except MinicnnError as error:
        written = f" (written by Keras {version})" if version else ""
        error.args = (f"{path}{written}: {error}",)
        raise


def load_weights(model: Model, path: str | Path, **options: Any) -> weights.LoadReport:
    """See Model.load_weights; `allow_head=True` takes a file that has more layers after the last of the model's."""
    with weights.open_weights(path) as file:
        report = _load(model, file, **options)
    _say_doubts(report, 4)
    return report


def _say_doubts(report: weights.LoadReport, stacklevel: int) -> None:
    """Warn of what is doubtful about weights, for the line of the program that asked for them."""
    said = report.warnings[:DOUBTS_SAID]
    if more := len(report.warnings) - len(said):
        said.append(f"so have {more} more weights")
    for doubt in said:
        warnings.warn(f"{report.path}: {doubt}", stacklevel=stacklevel)


def _load(model: Model, file: weights.WeightFile, **options: Any) -> weights.LoadReport:
    parameters = list(parameters_in_order(model))
    if not parameters and any(layer.weights for layer in file.layers):
        raise WeightsMismatchError(f"{file.path} holds weights, model {model.name} has none")
    spec = layer_spec(model)
    plan = weights.match(file, spec, **options)
    arrays = plan.read()
    for index, array in arrays:
        parameters[index].adopt(array)
    if options.get("on_mismatch") == "reinit":
        paths = [leaf.path for leaf in leaves(spec) for _ in leaf.layer.weights]
        for parameter, path in zip(parameters, paths, strict=True):
            if path in plan.report.mismatched:
                parameter.initialize()
    return plan.report


def save_weights(model: Model, path: str | Path) -> None:
    """See Model.save_weights."""
    name = str(path)
    if name.endswith(".weights.h5"):
        write = weights.save_keras_weights
    elif name.endswith((".h5", ".hdf5")):
        write = weights.save_legacy_weights
    elif name.endswith(".safetensors"):
        write = weights.save_safetensors
    else:
        endings = ".weights.h5 (Keras 3), .h5 (the legacy layout) or .safetensors"
        raise ArgumentError(f"save_weights: {name} must end in {endings}")
    write(path, layer_spec(model), _arrays(model))


def save_model(model: Model, path: str | Path) -> None:
    """See Model.save."""
    from .config_writing import model_config

    name = str(path)
    if not name.endswith((".keras", ".h5", ".hdf5")) or name.endswith(".weights.h5"):
        raise ArgumentError(f"save: {name} must end in .keras, or in .h5 for the legacy layout")
    slashed = [leaf.path for leaf in leaves(layer_spec(model)) if "/" in leaf.layer.name]
    if slashed:
        warnings.warn(f"Keras 3 does not open models with a '/' in a layer's name, as in {slashed[0]}", stacklevel=3)
    if shared := shared_layers(model):
        warnings.warn(
            f"model {model.name} and models in it share {', '.join(layer.name for layer in shared)}, which the file "
            "holds once for each of them: loaded again, each trains a copy of its own",
            stacklevel=3,
        )
    config, compiled = model_config(model), compile_config(model)
    arguments = path, layer_spec(model), _arrays(model)
    metadata = model.metadata or None
    if name.endswith(".keras"):
        whole = config if compiled is None else {**config, "compile_config": compiled}
        weights.save_keras_archive(*arguments, whole, metadata=metadata)
    else:
        training = None if compiled is None else {**compiled, "optimizer_config": compiled.pop("optimizer")}
        weights.save_legacy_model(*arguments, config, training, metadata)


def shared_layers(model: Model) -> list[Layer]:
    """The layers with weights that more than one model holds, of a model and those nested in it."""
    holders: dict[int, int] = {}
    layers: dict[int, Layer] = {}
    waiting: list[Layer] = [model]
    while waiting:
        for layer in getattr(waiting.pop(), "layers", ()):
            if id(layer) not in layers:
                waiting.append(layer)
            layers[id(layer)] = layer
            holders[id(layer)] = holders.get(id(layer), 0) + 1
    return [layer for key, layer in layers.items() if holders[key] > 1 and layer.weights]


def layer_spec(layer: Layer, part: str = "") -> weights.LayerSpec:
    """What minicnn.weights needs to know of a model or layer; `part` is the group that it has in a layer around it."""
    if isinstance(layer, Model):
        kind = "Sequential" if type(layer).__name__ == "Sequential" else "Functional"
        layer.graph  # noqa: B018  (builds a Sequential)
        return weights.LayerSpec(layer.name, kind, layers=[layer_spec(inner) for inner in layer.layers], part=part)
    kind = type(layer).__name__
    if layer.parts:
        inner = [layer_spec(getattr(layer, attribute), group) for group, attribute in layer.parts.items()]
        return weights.LayerSpec(layer.name, kind, layers=inner, part=part)
    own = [weights.WeightSpec(p.name, p.shape, p.trainable, str(p.dtype)) for p in layer.weights]
    first = getattr(layer, "data_format", None) == "channels_first"
    return weights.LayerSpec(layer.name, kind, own, part=part, weights_group=layer.weights_group, channels_first=first)


def parameters_in_order(layer: Layer) -> Iterator[Parameter]:
    """Weights in the order of the spec, depth first."""
    inside = layer.layers if isinstance(layer, Model) else layer.inner_layers
    if not inside:
        yield from layer.weights
    for inner in inside:
        yield from parameters_in_order(inner)


def _arrays(model: Model) -> list[np.ndarray]:
    return [parameter.numpy() for parameter in parameters_in_order(model)]
