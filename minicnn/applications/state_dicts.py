"""Which network of torchvision or timm a state dict belongs to, told by its modules and how many numbers each has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from minicnn.weights import WeightFile

from . import timm, torchvision
from .pytorch.network import Network

Sizes = dict[str, int]
CLASSES = 1000  # of a head that is built


@dataclass(frozen=True)
class StateDict:
    """A network, and the classes of the head in the file; None when it has no head."""

    network: Network
    classes: int | None

    def __str__(self) -> str:
        return f"{self.network.name}, {f'{self.classes} classes' if self.classes else 'no top'}"


def identify(file: WeightFile) -> StateDict | None:
    """The first network that has the modules of a file; their head may be for any number of classes."""
    sizes = {layer.name: sum(prod(weight.shape) for weight in layer.weights) for layer in file.layers}
    for network in _networks():
        wanted = _sizes(network, include_top=True)
        last, numbers = wanted.popitem()
        each = numbers // CLASSES
        classes = sizes.get(last, 0) // each
        if classes and sizes == wanted | {last: each * classes}:
            return StateDict(network, classes)
        if sizes.keys() <= wanted.keys() and sizes == _sizes(network, include_top=False):
            return StateDict(network, None)
    return None


def _networks() -> Iterator[Network]:
    yield from torchvision.NETWORKS.values()
    yield from timm.NETWORKS.values()


def _sizes(network: Network, include_top: bool) -> Sizes:
    """{module: numbers}, the classifier last"""
    layers = network(include_top=include_top, classes=CLASSES).layers
    return {layer.name: layer.count_params() for layer in layers if layer.weights}
