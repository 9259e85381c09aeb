"""Layer groups: the few stages of a network that fine-tuning treats alike, from its inputs to its head.

A stage is a run of layers whose maps have one size: where a network makes its maps smaller, what it looks at changes in
kind, from edges to parts to things.  VGG's blocks, ResNet's conv2 to conv5 and MobileNet's blocks between strides are
such stages.  Layers after the last map, which see vectors, are the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from math import prod
from typing import Any

from minicnn.preparation import has_channels_first
from minicnn.transfer.freeze import is_trained, network_of

MOST = 5
NOMINAL_SIDE = 256  # of maps whose sides are free


@dataclass(frozen=True)
class Group:
    """Successive layers with weights; `name` says the first and the last of them."""

    name: str
    layers: tuple[Any, ...]

    @property
    def parameters(self) -> list[Any]:
        """All weights that training may change."""
        return [parameter for layer in self.layers for parameter in layer.weights if parameter.learnable]

    @property
    def size(self) -> int:
        """How many numbers they hold."""
        return sum(parameter.size for parameter in self.parameters)


def layer_groups(model: Any, most: int = MOST) -> list[Group]:
    """
    The groups of a network, from its inputs to its head: at most `most` stages, and the head where there is one.

    Too many stages become one at the bottom; a network whose maps keep their size is divided into runs of equal length.

    Examples
    --------
    >>> from minicnn.applications import VGG16
    >>> model = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3), pooling="avg")
    >>> [group.name for group in layer_groups(model)][-2:]
    ['block4_conv1 … block4_conv3', 'block5_conv1 … block5_conv3']
    """
    areas = _areas(network_of("layer_groups", model))
    if not areas:
        return []
    layers = [layer for layer, _ in areas]
    # A map that grows again, after a squeeze to one pixel, belongs to the stage around it.
    levels = list(accumulate((area for _, area in reversed(areas)), max))[::-1]
    stages = [[layer for layer, _ in run] for _, run in groupby(zip(layers, levels), key=lambda item: item[1])]
    head = [stages.pop()] if levels[-1] == 0 else []
    if len(stages) == 1:
        stages = _even_runs(stages[0], most)
    extra = max(0, len(stages) - most)
    if extra:
        stages = [[layer for stage in stages[: extra + 1] for layer in stage], *stages[extra + 1 :]]
    return [_group(stage) for stage in [*stages, *head]]


def _areas(model: Any) -> list[tuple[Any, int]]:
    """(layer, pixels of the map that it makes) of each layer with weights, in the order of the calls; 0 of vectors."""
    program = model.program
    shapes = [tensor.shape for tensor in model.inputs]
    first = any(map(has_channels_first, shapes))
    nominal = [(shape[0], *(NOMINAL_SIDE if side is None else side for side in shape[1:])) for shape in shapes]
    made = program.slot_shapes(nominal)
    found: dict[int, tuple[Any, int]] = {}
    for call in program.calls:
        if call.layer.weights:
            shape = made[call.outputs[0]]
            sides = shape[2:] if first else shape[1:-1]
            found.setdefault(id(call.layer), (call.layer, prod(sides) if sides else 0))
    return list(found.values())


def _even_runs(layers: list[Any], most: int) -> list[list[Any]]:
    """At most `most` runs of as many layers, each BatchNormalization with the layer before it."""
    units: list[list[Any]] = []
    for layer in layers:
        if units and not is_trained(layer):
            units[-1].append(layer)
        else:
            units.append([layer])
    count = min(most, len(units))
    borders = [len(units) * i // count for i in range(count + 1)]
    return [[layer for unit in units[start:stop] for layer in unit] for start, stop in pairwise(borders)]


def _group(layers: Sequence[Any]) -> Group:
    first, last = layers[0].name, layers[-1].name
    return Group(first if first == last else f"{first} … {last}", tuple(layers))
