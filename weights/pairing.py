"""Pair the weights of one unit of a file with the layers they belong to.

A unit is a layer, or, in legacy files, a whole nested model whose weights are flattened into one list.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .entries import LayerEntry, WeightEntry
from .grouped import with_groups
from .report import ReportRow
from .roles import STATISTICS, layer_of, role_of
from .spec import LayerSpec, Leaf, WeightSpec

Assignment = tuple[int, WeightEntry]  # index of the weight in the model's flattened order, what to read


@dataclass(frozen=True)
class Paired:
    """A row of the report with the assignments that it stands for."""

    row: ReportRow
    assignments: list[Assignment] = field(default_factory=list)


def missing(leaf: Leaf) -> Paired:
    return Paired(ReportRow(leaf.path, None, _shapes(leaf.layer.weights)))


def unexpected(name: str, weights: Sequence[WeightEntry]) -> Paired:
    return Paired(ReportRow(None, name, (), _shapes(weights)))


def pair_layer(leaf: Leaf, name: str, weights: Sequence[WeightEntry]) -> Paired:
    """A plain layer: weights by role when both sides name the same roles, else by order; every shape must be equal."""
    wanted = leaf.layer.weights
    weights = with_groups(leaf.layer, weights)
    found = _by_role(leaf.layer, weights) or weights
    if len(found) != len(wanted):
        stored = " ".join(str(weight.shape) for weight in found)
        problem = f"weights {stored} in the file, {' '.join(f'{w.name} {tuple(w.shape)}' for w in wanted)} in the model"
    else:
        problem = next((_difference(w, f) for w, f in zip(wanted, found) if tuple(w.shape) != f.shape), "")
    row = ReportRow(leaf.path, name, _shapes(wanted), _shapes(found), problem)
    return Paired(row, [] if problem else [(leaf.first + i, weight) for i, weight in enumerate(found)])


def _shapes(weights: Sequence[WeightSpec] | Sequence[WeightEntry]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(weight.shape) for weight in weights)


def _by_role(layer: LayerSpec, weights: Sequence[WeightEntry]) -> list[WeightEntry] | None:
    """The weights in the layer's order, when the roles of both sides are the same set."""
    stored = {role_of(weight.name, layer.class_name): weight for weight in weights}
    roles = [role_of(weight.name, layer.class_name) for weight in layer.weights]
    if len(stored) < len(weights) or len(set(roles)) < len(roles) or stored.keys() != set(roles):
        return None
    return [stored[role] for role in roles]


def _difference(wanted: WeightSpec, found: WeightEntry) -> str:
    text = f"{wanted.name} is {found.shape} in the file, {tuple(wanted.shape)} in the model"
    if len(found.shape) == 4 and tuple(found.shape[axis] for axis in (2, 3, 1, 0)) == tuple(wanted.shape):
        text += " (filters first: the order of PyTorch or Theano)"
    return text


def pair_group(leaves: Sequence[Leaf], entry: LayerEntry) -> list[Paired]:
    """A nested model: its weights by name, else by an order in which Keras writes them.

    Position alone decides nothing: Keras lists trainable weights before the others, by the flags at the time of saving.
    """
    exact = _by_name(leaves, entry, lambda name: name)
    unnumbered = _by_name(leaves, entry, lambda name: re.sub(r"_\d+$", "", name))  # numbers that a second model got
    ordered = _by_order(leaves, entry)
    complete = (rows for rows in (exact, unnumbered, ordered) if rows and all(r.row.status == "loaded" for r in rows))
    return next(complete, exact)


def _by_name(leaves: Sequence[Leaf], entry: LayerEntry, clean: Callable[[str], str]) -> list[Paired]:
    """Every stored weight goes to the layer that the longest end of its name means."""
    places = _places(leaves)
    named: dict[int, list[WeightEntry]] = {}
    rest: dict[str, list[WeightEntry]] = {}
    for weight in entry.weights:
        parts = clean(layer_of(weight.name)).split("/")
        without_cell = (
            parts[:-1] if parts[-1].endswith("_cell") else []
        )  # "forward_lstm/lstm_cell": the cell is its own
        ends = ("/".join(names[i:]) for names in (parts, without_cell) for i in range(len(names)))
        place = next((places[end] for end in ends if end in places), None)
        if place is None:
            rest.setdefault(f"{entry.name}/{layer_of(weight.name)}", []).append(weight)
        else:
            named.setdefault(place, []).append(weight)
    rows = [_pair_leaf(leaf, entry, named.get(leaf.first, [])) for leaf in leaves]
    return rows + [unexpected(name, weights) for name, weights in rest.items()]


def _pair_leaf(leaf: Leaf, entry: LayerEntry, weights: Sequence[WeightEntry]) -> Paired:
    if not weights:
        return missing(leaf)
    return pair_layer(leaf, f"{entry.name}/{layer_of(weights[0].name)}", weights)


def _places(leaves: Sequence[Leaf]) -> dict[str, int]:
    """{name: first index} by full path and by every end of it that only one layer has."""
    places: dict[str, set[int]] = {}
    for leaf in leaves:
        parts = leaf.names
        for i in range(len(parts)):
            places.setdefault("/".join(parts[i:]), set()).add(leaf.first)
    return {name: found.pop() for name, found in places.items() if len(found) == 1}


def _by_order(leaves: Sequence[Leaf], entry: LayerEntry) -> list[Paired] | None:
    """All weights in an order of Keras' in which every role and every shape is right, or None."""
    slots = [(leaf, weight) for leaf in leaves for weight in leaf.layer.weights]
    for last in (lambda weight: not weight.trainable, lambda weight: weight.name in STATISTICS, lambda weight: False):
        order = sorted(range(len(slots)), key=lambda i: last(slots[i][1]))
        if len(order) == len(entry.weights) and all(_same(slots[i], w) for i, w in zip(order, entry.weights)):
            stored = dict(zip(order, entry.weights))
            start = leaves[0].first
            return [
                _pair_leaf(leaf, entry, [stored[leaf.first - start + i] for i in range(len(leaf.layer.weights))])
                for leaf in leaves
            ]
    return None


def _same(slot: tuple[Leaf, WeightSpec], weight: WeightEntry) -> bool:
    leaf, wanted = slot
    kind = leaf.layer.class_name
    return tuple(wanted.shape) == weight.shape and role_of(wanted.name, kind) == role_of(weight.name, kind)
