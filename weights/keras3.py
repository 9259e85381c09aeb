"""Keras 3 `.weights.h5`: groups named by class and number, arrays named by index.

/layers/conv2d/vars/0                        @name of `vars` = the layer's name
/layers/functional/layers/conv2d/vars/0      a nested model
/layers/lstm/cell/vars/0                     a recurrent layer
/layers/bidirectional/forward_layer/cell/vars/0
"""

import re
from collections.abc import Iterator

from minicnn.errors import FileFormatError

from .entries import LayerEntry, WeightEntry, WeightFile
from .hdf5 import Group, HDF5File

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the second one: Keras 2.13 to 2.15
CELL = "cell"  # of a recurrent layer: the group of its weights
OWN = ("vars", CELL, "seed_generator", "generator")  # groups in that of a layer which are of no other layer
MAX_NESTING = 32


def is_keras3(root: Group) -> bool:
    return bool({*CONTAINERS, "vars"} & root.members.keys())


def read_keras3(file: HDF5File, path: str) -> WeightFile:
    """Describe a `.weights.h5` file: every group with `vars` or `layers` under the root's `layers`, nested ones too."""
    entries: list[LayerEntry] = []
    visited = {file.root.address}
    groups = [(file.root, "", 0)]
    while groups:
        group, place, depth = groups.pop()
        if place and ((entry := _entry(group, place, path)).weights or place.split("/")[-2:-1] == ["layers"]):
            entries.append(entry)
        inside = [*_layers(group), *(_parts(group) if place else ())]
        if inside and depth >= MAX_NESTING:
            raise FileFormatError(f"{path}: models are nested more than {MAX_NESTING} deep: this is no Keras file")
        for member, name in reversed(inside):  # a stack gives them back in order
            if member.address in visited:
                raise FileFormatError(f"{path}: the group {member.name!r} contains itself: get the file again")
            visited.add(member.address)
            groups.append((member, f"{place}/{name}".lstrip("/"), depth + 1))
    return WeightFile(path=path, format="Keras 3 weights", layers=entries, _file=file)


def _layers(group: Group) -> Iterator[tuple[Group, str]]:
    """The groups of the layers of a model, with their places in its group."""
    container = next((name for name in CONTAINERS if name in group.members), None)
    if container is not None:
        layers = group.group(container)
        for name in sorted(layers.members, key=_natural):
            yield layers.group(name), f"layers/{name}"


def _parts(group: Group) -> Iterator[tuple[Group, str]]:
    """The groups of what a wrapper holds, or any other layer that is made of layers, named after its attributes."""
    for name in sorted(group.members.keys() - {*CONTAINERS, *OWN}):
        yield group.group(name), name


def _entry(group: Group, place: str, path: str) -> LayerEntry:
    """The layer in a group; its weights are the members of `vars`, by number, in its own group or that of its cell."""
    component = place.rsplit("/", 1)[-1]
    if "vars" not in group.members and CELL not in group.members:
        return LayerEntry(component, place)
    name = group.group("vars").attribute("name") if "vars" in group.members else None
    if CELL in group.members:
        group = group.group(CELL)
    variables = group.group("vars")
    weights = []
    for index in range(len(variables.members)):
        if str(index) not in variables.members:
            raise FileFormatError(
                f"{path}: {variables.name!r} has no weight {index}: the file is damaged, get it again"
            )
        dataset = variables.dataset(str(index))
        weights.append(WeightEntry(str(index), dataset.shape, dataset.dtype, dataset.read))
    return LayerEntry(name if isinstance(name, str) and name else component, place, weights)


def _natural(name: str) -> tuple[str, int]:
    """dense, dense_1, ..., dense_10: the order in which Keras numbered them."""
    match = re.fullmatch(r"(.*?)_(\d+)", name)
    return (match[1], int(match[2])) if match else (name, 0)
