"""Which network of torchvision or timm weights belong to, told by its modules and how many numbers each has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod

from minicnn.weights import WeightFile
from minicnn.weights.identify import head
from minicnn.weights.state_dict import beside

from . import timm, torchvision
from .pytorch.network import Network

Sizes = dict[str, int]
CLASSES = 1000  # of a head that is built
PADDED = ("timm.efficientnet", "timm.mobilenetv3")  # have twins whose names begin with tf_, padded as in Keras
SMOOTHED = {  # whose twins blur or average what is left out by a stride
    "resnet18": ("resnetblur18",),
    "resnet50": ("resnetblur50", "resnetaa50"),
    "efficientnet_b0": ("efficientnet_blur_b0",),
}
NETWORKS = {network.name: network for module in (torchvision, timm) for network in module.NETWORKS.values()}


@dataclass(frozen=True)
class StateDict:
    """A network, and the classes of the head in the file; None when it has no head."""

    architecture: Network
    classes: int | None

    def __str__(self) -> str:
        return f"{self.architecture}, {head(self.classes)}"

    @property
    def doubt(self) -> str:
        """Which networks of timm are other functions of the same weights: nothing in a file tells them apart."""
        full = self.architecture.name
        package, _, name = full.partition(".")
        twins = [f"tf_{name}"] if full.startswith(PADDED) else []
        twins += SMOOTHED.get(name, ()) if package == "timm" or name.startswith("resnet") else ()
        if not twins:
            return ""
        other = "is another function" if len(twins) == 1 else "are other functions"
        return f"if they are those of {' or '.join(f'timm.{twin}' for twin in twins)}, which {other}, results are wrong"


def identify(file: WeightFile, first: Network | None = None) -> StateDict | None:
    """The first network that has the modules of a file; their head may be for any number of classes.

    torchvision and timm have networks that are one and the same: `first` is the one that is meant.
    """
    layers = [layer for layer in file.layers if layer.weights and not beside(file, layer)]
    sizes = {layer.name: sum(prod(weight.shape) for weight in layer.weights) for layer in layers}
    for network in ([first] if first else []) + list(NETWORKS.values()):
        wanted = _sizes(network, include_top=True)
        last = next(reversed(wanted))
        each = wanted[last] // CLASSES
        classes = sizes.get(last, 0) // each
        if classes and sizes == wanted | {last: each * classes}:
            return StateDict(network, classes)
        if sizes.keys() <= wanted.keys() and sizes == _sizes(network, include_top=False):
            return StateDict(network, None)
    return None


@cache
def _sizes(network: Network, include_top: bool) -> Sizes:
    """{module: numbers}, the classifier last"""
    layers = network(include_top=include_top, classes=CLASSES).layers
    return {layer.name: layer.count_params() for layer in layers if layer.weights}
