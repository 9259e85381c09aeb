"""The two ways to pair the layers of a file and a model: by name, and by what Keras itself goes by.

Keras goes by order in legacy files (the k-th layer with weights), by numbered class names in Keras 3 files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from .entries import LayerEntry, WeightFile
from .nested import beside, place_of_base, within
from .pairing import Paired, missing, pair_group, pair_layer, unexpected
from .report import ReportRow
from .spec import LayerSpec, Leaf, leaves
from .state_dict import OWN, PYTORCH, pairs_by_module, pairs_by_number, pairs_by_path

MOST_LEVELS = 8  # of models within models that are searched for a base


@dataclass(frozen=True)
class Policy:
    """What the caller of `match` allows."""

    strict: bool
    by_name: bool
    skip_mismatched: bool
    allow_head: bool


@dataclass(frozen=True)
class Candidate:
    """One way to pair; `head` says that what the file has beyond the model comes after everything that was paired."""

    matched_by: str
    paired: list[Paired]
    head: bool

    @property
    def rows(self) -> list[ReportRow]:
        return [paired.row for paired in self.paired]

    def count(self, status: str) -> int:
        return sum(row.status == status for row in self.rows)

    @property
    def exact(self) -> bool:
        return self.count("loaded") == len(self.paired)

    def fits(self, policy: Policy) -> bool:
        """Whether loading these pairs is what the caller allows."""
        if self.count("mismatched") and not policy.skip_mismatched:
            return False
        if self.matched_by == "name" and not (policy.strict and not policy.by_name):
            return self.count("loaded") > 0 or not self.paired
        extra = self.count("unexpected") and not (policy.allow_head and self.head)
        return not self.count("missing") and not extra and (self.matched_by == "name" or self._ends_in_mismatch())

    def _ends_in_mismatch(self) -> bool:
        """Without names to vouch for a layer, only a last run of layers, the head, may have other shapes."""
        found = [row.status == "loaded" for row in self.rows if row.status != "unexpected"]
        return found == sorted(found, reverse=True)


def candidates(file: WeightFile, spec: LayerSpec) -> tuple[Candidate, Candidate]:
    """By name, and by what else the format offers; a state dict has names alone."""
    if file.format == PYTORCH:
        named = Candidate("name", pairs_by_module(file, spec), True)
        return named, named
    if file.format == OWN:
        return Candidate("name", pairs_by_path(file, spec), True), Candidate("order", pairs_by_number(file, spec), True)
    return legacy_candidates(file, spec) if file.is_legacy else keras3_candidates(file, spec)


def base_candidates(file: WeightFile, spec: LayerSpec) -> Iterator[tuple[Candidate, Candidate]]:
    """Those in the model that has most of a file's weights, then in the one in that, ...; what is around is a head.

    The spec is of that model.  In legacy files one entry has the weights of all models within a model.
    """
    around: list[Paired] = []
    for _ in range(MOST_LEVELS):
        if (place := place_of_base(file)) is None:
            return
        inner = within(file, place)
        if file.is_legacy:
            rows = [row for entry in inner.layers for row in pair_group(leaves(spec), entry)]
            found = (Candidate("name", rows, True),) * 2
        else:
            found = candidates(inner, spec)
        around += [unexpected(entry.name, entry.weights) for entry in beside(file, place)]
        named, other = (Candidate(each.matched_by, each.paired + around, each.head) for each in found)
        yield named, other
        if file.is_legacy:
            return
        file = inner


def legacy_candidates(file: WeightFile, spec: LayerSpec) -> tuple[Candidate, Candidate]:
    """By the names of top-level layers, then by their order."""
    units = _units(spec)
    stored = [entry for entry in file.layers if entry.weights]
    by_name = {entry.name: (i, entry) for i, entry in enumerate(stored)}
    by_alias = {alias: by_name[name] for name, alias in _aliases(by_name).items()}
    aliases = _aliases([name for name, _ in units])
    found = [by_name.get(name) or by_alias.get(aliases.get(name, "")) for name, _ in units]
    used = {position for position, _ in filter(None, found)}
    pairs = [(unit, entry and entry[1]) for unit, entry in zip(units, found)]
    rest = [(i, entry) for i, entry in enumerate(stored) if i not in used]
    head = all(i > max(used, default=-1) for i, _ in rest)
    named = Candidate("name", _pair_units([*pairs, *((None, entry) for _, entry in rest)]), head)
    return named, Candidate("order", _pair_units(list(zip_longest(units, stored))), True)


def _aliases(names: Iterable[str]) -> dict[str, str]:
    """What a layer is called in all versions of Keras, of those that share it with no other.

    Keras 2 called layers of DenseNet and MobileNetV3 "conv1/bn" and "Conv/BatchNorm"; in Keras 3 they are "conv1_bn"
    and "conv_bn".
    """
    aliases = {name: name.lower().replace("/", "_").replace("batchnorm", "bn") for name in names}
    count = Counter(aliases.values())
    return {name: alias for name, alias in aliases.items() if count[alias] == 1}


Unit = tuple[str, list[Leaf]]  # a top-level layer's name and the layers with weights in it


def _units(spec: LayerSpec) -> list[Unit]:
    """The top-level layers that have weights."""
    units: list[Unit] = []
    for leaf in leaves(spec):
        name = leaf.names[0]
        if leaf.containers and units and units[-1][0] == name:
            units[-1][1].append(leaf)
        else:
            units.append((name, [leaf]))
    return units


def _pair_units(pairs: list[tuple[Unit | None, LayerEntry | None]]) -> list[Paired]:
    paired = []
    for unit, entry in pairs:
        if unit is None:
            assert entry is not None
            paired.append(unexpected(entry.name, entry.weights))
        elif entry is None:
            paired += map(missing, unit[1])
        elif unit[1][0].containers:
            paired += pair_group(unit[1], entry)
        else:
            paired.append(pair_layer(unit[1][0], entry.name, entry.weights))
    return paired


def keras3_candidates(file: WeightFile, spec: LayerSpec) -> tuple[Candidate, Candidate]:
    """By the names that the file says, then by group: snake-case class names, numbered in each model."""
    names = {entry.path: entry.name for entry in file.layers}
    stored = [(_said_path(entry.path, names), entry) for entry in file.layers if entry.weights]
    found = leaves(spec)
    by_name = _pair_keys({leaf.path: leaf for leaf in found}, {said: (said, entry) for said, entry in stored})
    by_group = _pair_keys({leaf.group: leaf for leaf in found}, {entry.path: (said, entry) for said, entry in stored})
    return Candidate("name", by_name, True), Candidate("path", by_group, True)


def _said_path(path: str, names: dict[str, str]) -> str:
    """The layer names along "layers/functional/layers/conv2d"."""
    parts = path.split("/")
    places = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    return "/".join(names[place] for place in places if place in names)


def _pair_keys(wanted: dict[str, Leaf], stored: dict[str, tuple[str, LayerEntry]]) -> list[Paired]:
    paired = []
    for key, leaf in wanted.items():
        name, entry = stored.get(key, ("", None))
        paired.append(pair_layer(leaf, name, entry.weights) if entry else missing(leaf))
    return paired + [unexpected(name, entry.weights) for key, (name, entry) in stored.items() if key not in wanted]
