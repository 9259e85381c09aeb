"""safetensors files as weights: minicnn's own names ("layer/kernel"), and PyTorch's state dicts ("module.weight").

PyTorch keeps kernels of (F, C, KH, KW) and (O, I); the arrays are moved to Keras' layout when they are read:

    Conv2D            weight (F, C, KH, KW)               -> kernel (KH, KW, C, F)
    DepthwiseConv2D   weight (C M, 1, KH, KW)             -> depthwise_kernel (KH, KW, C, M)
    Dense             weight (O, I)                       -> kernel (I, O)
    Dense on Flatten  weight (O, C H W) or (O, C, H, W)   -> kernel (H W C, O)
    LayerScale        layer_scale (C, 1, 1), gamma (C,)   -> gamma (C,)
    others            as they are

A layer is paired with the module of its name: the networks of minicnn.applications.torchvision and .timm are named so.
Classifiers beside a network, which only its training had, are left out.
"""

import math
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import DTypeLike

from .entries import LayerEntry, WeightEntry, WeightFile
from .hdf5.source import Source
from .pairing import Paired, missing, pair_layer, unexpected
from .safetensors import NAMES, read_header, reader
from .spec import LayerSpec, Leaf, WeightSpec, leaves, snake_case

OWN, PYTORCH = "safetensors", "PyTorch state dict"
MODULE_NAMES = {  # a weight of a layer -> what PyTorch calls it in a module
    "kernel": "weight",
    "depthwise_kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "alpha": "weight",
}
OF_BLOCKS = ("layer_scale", "gamma")  # what torchvision and timm call the LayerScale of a block, which is no module
BESIDE = re.compile(r"(aux\d|AuxLogits)\.")  # begins of the modules of the classifiers of GoogLeNet and Inception
COUNTER = "num_batches_tracked"  # of a BatchNorm: how many batches it saw, for an average that Keras does not take


def read_safetensors(source: Source, path: str | os.PathLike) -> WeightFile:
    """Describe a safetensors file; the numbers are read from `source` later.

    minicnn writes "layer/weight", where a layer's name may hold dots; no name of PyTorch's has a slash.
    """
    tensors, _ = read_header(source)
    own = any("/" in tensor.name for tensor in tensors)
    groups: dict[str, list[WeightEntry]] = {}
    for tensor in tensors:
        layer, _, name = tensor.name.rpartition("/" if own else ".")
        entry = WeightEntry(name, tensor.shape, NAMES[tensor.dtype], reader(source, tensor))
        if own or name != COUNTER:
            groups.setdefault(layer, []).append(entry)
    layers = [LayerEntry(name, name, weights) for name, weights in groups.items()]
    return WeightFile(path=os.fspath(path), format=OWN if own else PYTORCH, layers=layers, _file=source)


def pairs_by_path(file: WeightFile, spec: LayerSpec) -> list[Paired]:
    """Layers of minicnn's own file: by the names along their path."""
    return _pair(file, spec, lambda leaf: leaf.path, lambda leaf, entry: entry.weights)


def pairs_by_number(file: WeightFile, spec: LayerSpec) -> list[Paired]:
    """Layers of minicnn's own file, those that are called by their class by their order among these.

    What was "normalization_1" when the file was written is "normalization_3" in a model that was made after others.
    """
    renamed = _renumbered(file, spec)
    return _pair(file, spec, lambda leaf: renamed.get(leaf.path, leaf.path), lambda leaf, entry: entry.weights)


def _renumbered(file: WeightFile, spec: LayerSpec) -> dict[str, str]:
    """{path of a layer: that in the file} of layers with automatic names, where both have as many of a class."""
    groups: dict[str, list[str]] = {}
    for leaf in leaves(spec):
        stem = "/".join([*leaf.names[:-1], snake_case(leaf.layer.class_name)])
        if _number(leaf.path, stem) is not None:
            groups.setdefault(stem, []).append(leaf.path)
    found: dict[str, str] = {}
    for stem, paths in groups.items():
        stored = [entry.name for entry in file.layers if _number(entry.name, stem) is not None]
        if len(stored) == len(paths):
            found |= zip(*(sorted(names, key=lambda name: _number(name, stem) or 0) for names in (paths, stored)))
    return found


def _number(path: str, stem: str) -> int | None:
    """3 of "conv2d_3", 0 of "conv2d", None of other names."""
    found = re.fullmatch(rf"{re.escape(stem)}(?:_(\d{{1,9}}))?", path)
    return int(found[1] or 0) if found else None


def pairs_by_module(file: WeightFile, spec: LayerSpec) -> list[Paired]:
    """Layers of a state dict: by the name of the module, with what each tensor is in Keras' layout."""
    channels = _flattened(spec)
    return _pair(
        file,
        spec,
        lambda leaf: leaf.layer.name,
        lambda leaf, entry: _in_layout(leaf.layer, entry, channels.get(leaf.first)),
    )


def _pair(
    file: WeightFile,
    spec: LayerSpec,
    key: Callable[[Leaf], str],
    weights: Callable[[Leaf, LayerEntry], list[WeightEntry]],
) -> list[Paired]:
    stored = {entry.name: entry for entry in file.layers if not beside(file, entry)}
    paired = []
    for leaf in leaves(spec):
        entry = stored.pop(key(leaf), None)
        paired.append(pair_layer(leaf, entry.name, weights(leaf, entry)) if entry else missing(leaf))
    return paired + [unexpected(entry.name, entry.weights) for entry in stored.values()]


def beside(file: WeightFile, entry: LayerEntry) -> bool:
    """Whether a module of a state dict belongs to a classifier that only training has."""
    return file.format == PYTORCH and BESIDE.match(entry.name) is not None


def module_names(class_name: str, weight: str) -> tuple[str, ...]:
    """What PyTorch may call a weight of a layer."""
    return OF_BLOCKS if class_name == "LayerScale" else (MODULE_NAMES.get(weight, weight),)


def _flattened(spec: LayerSpec) -> dict[int, int]:
    """{first weight of a Dense layer that follows Flatten: channels C of the image (H,W,C) that was flattened}"""
    first = {id(leaf.layer): leaf.first for leaf in leaves(spec)}
    found: dict[int, int] = {}
    channels, flat = 0, False
    for layer in _layers(spec):
        if flat and layer.class_name == "Dense":
            found[first[id(layer)]] = channels
        flat = layer.class_name == "Flatten" or (flat and not layer.weights)
        if layer.weights:
            kernel = layer.weights[0].shape
            channels = math.prod(kernel[2:]) if layer.class_name == "DepthwiseConv2D" else kernel[-1]
    return found


def _layers(spec: LayerSpec) -> Iterator[LayerSpec]:
    for layer in spec.layers or ():
        yield from _layers(layer) if layer.layers is not None else [layer]


def _in_layout(layer: LayerSpec, entry: LayerEntry, channels: int | None) -> list[WeightEntry]:
    """The module's tensors under the names of the layer's weights; what the layer does not have stays as it is."""
    left = {weight.name: weight for weight in entry.weights}
    found = []
    for wanted in layer.weights:
        names = module_names(layer.class_name, wanted.name)
        stored = next((left.pop(name) for name in names if name in left), None)
        if stored is not None:
            found.append(_moved(replace(stored, name=wanted.name), layer, wanted, channels))
    return found + list(left.values())


def _moved(stored: WeightEntry, layer: LayerSpec, wanted: WeightSpec, channels: int | None) -> WeightEntry:
    """The entry as it will be once its axes are in Keras' order."""
    shape = stored.shape
    if layer.class_name == "DepthwiseConv2D" and len(shape) == 4 and shape[1] == 1:
        multiplier = wanted.shape[-1]
        return _transposed(stored, (shape[0] // multiplier, multiplier, *shape[2:]), (2, 3, 0, 1))
    if layer.class_name == "Dense" and len(shape) > 1:
        inputs = math.prod(shape[1:])
        channels = channels if channels and inputs % channels == 0 else inputs
        moved = _transposed(stored, (shape[0], channels, inputs // channels), (2, 1, 0))
        return _reshaped(moved, (inputs, shape[0]))
    if layer.class_name == "LayerScale" and shape[1:] == (1, 1):
        return _reshaped(stored, shape[:1])
    if len(shape) == 4:
        return _transposed(stored, shape, (2, 3, 1, 0))
    return stored


def _transposed(entry: WeightEntry, view: tuple[int, ...], axes: tuple[int, ...]) -> WeightEntry:
    """The entry seen in another shape, with its axes in another order."""
    if math.prod(view) != math.prod(entry.shape):
        return entry

    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        return np.ascontiguousarray(entry.read(entry.shape, dtype).reshape(view).transpose(axes))

    return replace(entry, shape=tuple(view[axis] for axis in axes), read=read)


def _reshaped(entry: WeightEntry, shape: tuple[int, ...]) -> WeightEntry:
    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        return entry.read(entry.shape, dtype).reshape(shape)

    return replace(entry, shape=shape, read=read)
