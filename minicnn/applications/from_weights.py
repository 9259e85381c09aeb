"""The network that a file of weights alone is of, and how it is built with them."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from minicnn import applications
from minicnn.errors import FileFormatError
from minicnn.models import Model
from minicnn.weights import WeightFile, open_weights
from minicnn.weights.architectures import Architecture
from minicnn.weights.identify import Identity, identify
from minicnn.weights.nested import place_of_base
from minicnn.weights.state_dict import PYTORCH

from . import state_dicts
from .pytorch.network import Network
from .state_dicts import StateDict

Row = Architecture | Network
Found = Identity | StateDict
AROUND = "in a model around it"


def network_in(file: WeightFile, meant: Row | None = None) -> Found | None:
    """The network that the weights in a file are of, with its head; None where it is none that is known.

    Layers of torchvision and timm are known by their names, which have dots; those of Keras by their shapes alone.
    `meant` is the one to be taken of two that are the same.
    """
    found = None
    if any("." in layer.name for layer in file.layers if layer.weights):
        found = state_dicts.identify(file, meant if isinstance(meant, Network) else None)
    if found is None and file.format != PYTORCH and not _is_around(file):
        return _of_shapes(file)
    return found


def network_inside(file: WeightFile) -> Found | None:
    """The network that the weights of a model around it are of; its base alone can be read from them."""
    return _of_shapes(file) if file.format != PYTORCH and _is_around(file) else None


def _of_shapes(file: WeightFile) -> Identity | None:
    return identify(weight.shape for layer in file.layers for weight in layer.weights)


def _is_around(file: WeightFile) -> bool:
    """Whether a file of weights alone has most of them in one model within the model, as with a base and a new head."""
    return file.config is None and place_of_base(file) is not None


def of_no_network(file: WeightFile) -> FileFormatError:
    """The refusal of weights alone that no known network has."""
    if inner := network_inside(file):
        remedy = "build that model as it was, then model.load_weights(FILE), or take its base, finetune --base FILE"
        said = f"weights alone, of {inner}, {AROUND}: {remedy}"
    elif file.format != PYTORCH:
        said = "weights alone, of no network that minicnn models lists: save the whole model in one file"
    elif re.search(r"-\d+-of-\d+\.safetensors$", str(file.path)):
        said = "a part of a checkpoint: load all parts with safetensors.numpy.load_file, save the arrays as one file"
    elif inside := _wrapped(file):
        said = "the state dict of {}, with '{}.' before every name: save it without".format(*inside)
    else:
        said = "a PyTorch state dict, of no network that minicnn models lists"
    return FileFormatError(f"{file.path} holds {said}; minicnn inspect FILE shows what is in it")


def _wrapped(file: WeightFile) -> tuple[Found, str] | None:
    """(the network, "module") where every module has this before its name, as PyTorch's DataParallel saves them."""
    splits = [layer.name.partition(".") for layer in file.layers]
    if len({first for first, _, _ in splits}) != 1:
        return None
    layers = [replace(layer, name=name) for layer, (_, _, name) in zip(file.layers, splits)]
    found = network_in(replace(file, layers=layers))
    return (found, splits[0][0]) if found else None


def doubt_of(found: Found) -> str:
    """What is to be said beside the network, where others have the same weights; "" for most."""
    return found.doubt if isinstance(found, StateDict) else ""


def network_of(path: str | os.PathLike) -> Found | None:
    """`network_in` of the file at a path."""
    with open_weights(path) as file:
        return network_in(file)


def builder(row: Row) -> Callable[..., Model]:
    """What builds a network: called with weights=, include_top=, classes=, ..., it returns the model."""
    return row if isinstance(row, Network) else partial(getattr(applications, row.name), **row.arguments)


def build(found: Found, weights: Any) -> Model:
    """The network with the weights of the file that it was found in, and with their head."""
    head = {"classes": found.classes} if found.classes else {"include_top": False}
    return builder(found.architecture)(weights=weights, **head)


def call(found: Found, weights: str = "FILE") -> str:
    """How a program builds it.

    Examples
    --------
    >>> from minicnn.weights.architectures import architecture
    >>> call(Identity(architecture("vgg16"), 5))
    'minicnn.applications.VGG16(weights=FILE, classes=5)'
    """
    head = f"classes={found.classes}" if found.classes else "include_top=False"
    said = [f"weights={weights}", head, *(f"{key}={value}" for key, value in arguments(found).items())]
    return f"minicnn.applications.{found.architecture.name}({', '.join(said)})"


def arguments(found: Found) -> Mapping[str, Any]:
    """What its variant is built with: {"alpha": 0.25}."""
    return {} if isinstance(found.architecture, Network) else found.architecture.arguments
