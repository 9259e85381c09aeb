"""Match a weights file to a model: which stored array belongs to which weight, decided before anything is read.

Layers are paired by name; where names do not lead to a complete match, by Keras' own rule: the k-th layer with weights
is the k-th in the file (in Keras 3 files: the k-th of its class in its model). Every shape must be equal.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from minicnn.errors import ArgumentError, WeightsMismatchError

from .candidates import Candidate, Policy, base_candidates, candidates
from .doubts import doubts
from .entries import WeightFile
from .mismatch import describe_mismatch
from .pairing import Assignment
from .report import LoadReport
from .spec import LayerSpec, leaves, snake_case

POLICIES = ("error", "skip", "reinit")


@dataclass
class MatchPlan:
    """What to load where.

    Attributes
    ----------
    report : LoadReport
    assignments : list of (int, WeightEntry)
        The index of a weight in the model's order (depth first, as `spec.leaves` numbers them), and its array.
    """

    report: LoadReport
    assignments: list[Assignment]
    _spec: LayerSpec

    def read(self) -> list[tuple[int, np.ndarray]]:
        """Read every array, so that a damaged one is found before any is assigned; doubts go to `report.warnings`."""
        slots = [(leaf, weight) for leaf in leaves(self._spec) for weight in leaf.layer.weights]
        arrays = []
        for index, entry in self.assignments:
            leaf, weight = slots[index]
            array = entry.read(tuple(weight.shape), weight.dtype)
            self.report.warnings += doubts(f"{leaf.path}/{weight.name}", weight.name, array)
            arrays.append((index, array))
        return arrays


def match(
    file: WeightFile,
    spec: LayerSpec,
    *,
    strict: bool = True,
    by_name: bool = False,
    on_mismatch: str = "error",
    allow_head: bool = False,
) -> MatchPlan:
    """Plan the loading of a file into a model.

    Parameters
    ----------
    file : WeightFile
    spec : LayerSpec
        The model.
    strict : bool
        Every layer of the model must be in the file and the other way round; False loads the layers that have
        the same name and reports the rest.
    by_name : bool
        Pair by name alone, never by order, and report the rest (Keras' `by_name=True`).
    on_mismatch : {"error", "skip", "reinit"}
        Layers of other shapes are refused, or left out of the plan and listed in `report.mismatched`;
        "reinit" is the same here, the caller initialises those layers again.
    allow_head : bool
        The file may have more layers after the last one that the model has, the head of a published file; or around
        a model in it that has most of the weights, and is the model.

    Returns
    -------
    MatchPlan

    Raises
    ------
    WeightsMismatchError
        The file does not fit, or nothing in it does; the message shows the first difference and the likely remedy.
    """
    if on_mismatch not in POLICIES:
        raise ArgumentError(f"on_mismatch={on_mismatch!r}: expected one of {', '.join(POLICIES)}")
    policy = Policy(strict, by_name, on_mismatch != "error", allow_head)
    chosen = _choose(*candidates(file, spec), spec, policy)
    if allow_head and not chosen.fits(policy):
        bases = [_choose(*inside, spec, policy) for inside in base_candidates(file, spec)]
        chosen = max([chosen, *bases], key=lambda each: each.count("loaded"))
    report = LoadReport(file.path, chosen.matched_by, chosen.rows)
    if (chosen.rows and not report.loaded) or not chosen.fits(policy):
        raise WeightsMismatchError(describe_mismatch(report, spec, file.format))
    _refuse_unknown_order(file, spec)
    assignments = [assignment for paired in chosen.paired for assignment in paired.assignments]
    return MatchPlan(report, sorted(assignments, key=lambda assignment: assignment[0]), spec)


def _choose(named: Candidate, other: Candidate, spec: LayerSpec, policy: Policy) -> Candidate:
    """By name, unless names do not lead to a complete match and the other way does."""
    complete = not (named.count("missing") or named.count("mismatched"))
    if policy.by_name or complete or _contradict(named, other, spec):
        return named
    if not policy.strict:
        doubtful = named.count("mismatched") or not named.count("loaded")
        return other if doubtful and other.exact else named
    if named.fits(policy):
        return named
    return other if other.fits(policy) or other.count("loaded") > named.count("loaded") else named


def _contradict(named: Candidate, other: Candidate, spec: LayerSpec) -> bool:
    """Whether a layer that someone named gets other weights than those under its name; Keras' own names say nothing."""
    chosen = {
        leaf.path
        for leaf in leaves(spec)
        if not re.fullmatch(rf"{snake_case(leaf.layer.class_name)}(_\d+)?", leaf.layer.name)
    }
    by_name = {row.model: row.file for row in named.rows if row.status == "loaded" and row.model in chosen}
    return any(row.model in by_name and by_name[row.model] != row.file for row in other.rows)


def _refuse_unknown_order(file: WeightFile, spec: LayerSpec) -> None:
    """Refuse layers for which a Keras 1 file has weights in another order, and only a config would say which."""
    layers = list(_all_layers(spec))
    reads_first = any(layer.channels_first for layer in layers)
    flattened = False
    for layer in layers:
        other_rows = file.channels_first and flattened and layer.class_name == "Dense"
        old = file.channels_first or (file.keras_version or "").startswith("1.")
        if other_rows or (old and file.config is None and layer.class_name == "Conv2DTranspose"):
            raise WeightsMismatchError(
                f"{file.path} comes from a model of Keras 1{' with channels first' * file.channels_first}, in which "
                f"the {layer.class_name} layer {layer.name!r} has another order of weights: load the layers before it "
                "alone (include_top=False)"
            )
        if layer.class_name == "Flatten":
            flattened = layer.channels_first or not reads_first
        else:
            flattened = flattened and not layer.weights


def _all_layers(spec: LayerSpec) -> Iterator[LayerSpec]:
    for layer in spec.layers or ():
        yield from _all_layers(layer) if layer.layers is not None else [layer]
