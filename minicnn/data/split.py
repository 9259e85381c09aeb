"""Dividing labelled pictures into training and validation: by class, by a seed, never through a duplicate or a group.

What decides where a picture goes is the hash of (seed, its key), where the key is its content hash when one
is given.  So the order of the files does not matter, and copies of one file always stay together.  With groups, as of
the pictures of one patient, a picture's key is its group, and groups that share a copy are one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from minicnn.errors import ArgumentError, DataError, ShapeError


@dataclass(frozen=True)
class Split:
    """Indices of the samples for training and for validation, int64, ascending."""

    train: np.ndarray
    validation: np.ndarray


def stratified_split(
    labels: ArrayLike,
    fraction: float = 0.2,
    *,
    seed: int = 0,
    keys: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> Split:
    """Of each class of n samples, round(fraction·n) go to validation; at least 1, and at least 1 stays.

    Samples of equal key, and those of one group, go together: then a class may miss its share.

    Parameters
    ----------
    labels
        (N,) integers.
    fraction
        Above 0, below 1.
    seed
        Another seed, another division.
    keys
        (N,) strings, by which samples are told apart: content hashes.  Their positions when None.
    groups
        (N,) strings, of what samples belong together to; nothing when None.
    class_names
        For the error message.

    Raises
    ------
    ArgumentError
        A fraction out of range.
    DataError
        A class that has not two samples with different keys.

    Examples
    --------
    >>> split = stratified_split([0, 0, 0, 0, 1, 1, 1, 1], 0.25)
    >>> len(split.train), len(split.validation)
    (6, 2)
    """
    if not 0 < fraction < 1:
        raise ArgumentError(f"validation fraction must be above 0 and below 1, got {fraction!r}")
    samples = _Samples(labels, seed, keys, groups, class_names)
    part: dict[str, int] = {}
    for label in samples.classes:
        ranked = samples.of_class(label, needed=2, purpose="one for training and one for validation")
        target = min(max(1, round(fraction * samples.size(label))), samples.size(label) - 1)
        _fill_validation(ranked, target, part)
    return samples.split(part, validation=1)


def stratified_folds(
    labels: ArrayLike,
    k: int = 5,
    *,
    seed: int = 0,
    keys: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> list[Split]:
    """k splits in which every sample is once in validation, with every class spread evenly over the folds.

    Parameters and errors are those of `stratified_split`; a class needs k samples with different keys.

    Examples
    --------
    >>> [fold.validation.size for fold in stratified_folds([0, 0, 0, 1, 1, 1], k=3)]
    [2, 2, 2]
    """
    if k < 2:
        raise ArgumentError(f"cross-validation needs at least 2 folds, got {k}")
    samples = _Samples(labels, seed, keys, groups, class_names)
    members: dict[str, np.ndarray] = {}  # of each key, how many samples there are of each class
    for number, label in enumerate(samples.classes):
        for key, indices in samples.of_class(label, needed=k, purpose=f"one for each of {k} folds"):
            members.setdefault(key, np.zeros(len(samples.classes)))[number] = len(indices)
    sizes = sum(members.values())
    counts = np.zeros((k, len(samples.classes)))
    part: dict[str, int] = {}
    for key in sorted(members, key=lambda key: -members[key].sum()):  # the small ones make up for the large ones
        # The fold with the smallest share of its classes, then with the fewest samples.
        part[key] = int(np.lexsort((counts.sum(1), counts @ (members[key] / sizes)))[0])
        counts[part[key]] += members[key]
    return [samples.split(part, validation=fold) for fold in range(k)]


def joined_keys(keys: Sequence[str] | None, groups: Sequence[str] | None) -> Sequence[str] | None:
    """Keys that are equal where samples share a key or a group, directly or by way of others.

    >>> joined_keys(["a", "b", "a", "c"], ["one", "one", "two", "three"])
    ['one', 'one', 'one', 'three']
    """
    if keys is None or groups is None:
        return keys if groups is None else list(groups)
    above: dict[str, str] = {group: group for group in groups}  # of groups joined, the first by name is at the top

    def top(group: str) -> str:
        while above[group] != group:
            above[group] = above[above[group]]
            group = above[group]
        return group

    first: dict[str, str] = {}
    for key, group in zip(keys, groups):
        low, high = sorted((top(first.setdefault(key, group)), top(group)))
        above[high] = low
    return [top(group) for group in groups]


def check_variety(keys: Sequence[str]) -> None:
    """Refuse samples of which each is a copy of the first.

    Raises
    ------
    DataError
    """
    if len(keys) > 1 and len(set(keys)) == 1:
        raise DataError(f"all {len(keys)} pictures are the same one: there is nothing to tell classes apart by")


def duplicates(keys: Sequence[str]) -> list[list[int]]:
    """The positions that share a key, one list for each key found more than once.

    >>> duplicates(["a", "b", "a"])
    [[0, 2]]
    """
    places: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        places.setdefault(key, []).append(index)
    return [found for found in places.values() if len(found) > 1]


def leaks(split: Split, keys: Sequence[str]) -> list[tuple[int, int]]:
    """(training index, validation index) of each validation sample that is also in training.

    >>> leaks(Split(np.array([0, 1]), np.array([2, 3])), ["a", "b", "c", "b"])
    [(1, 3)]
    """
    in_training = {keys[index]: int(index) for index in split.train[::-1]}
    return [(in_training[keys[i]], int(i)) for i in split.validation if keys[i] in in_training]


def conflicts(labels: ArrayLike, keys: Sequence[str]) -> list[list[int]]:
    """The positions that share a key and do not all have the same label.

    >>> conflicts([0, 1, 0, 0], ["a", "a", "b", "b"])
    [[0, 1]]
    """
    labels = np.asarray(labels)
    return [found for found in duplicates(keys) if np.ptp(labels[found]) > 0]


class _Samples:
    """The samples of each class, those that go together as one, in an order that the seed decides."""

    def __init__(
        self,
        labels: ArrayLike,
        seed: int,
        keys: Sequence[str] | None,
        groups: Sequence[str] | None,
        class_names: Sequence[str] | None,
    ):
        self.labels = np.asarray(labels)
        if self.labels.ndim != 1 or (self.labels.size and self.labels.dtype.kind not in "iu"):
            raise ShapeError(f"labels must be integers (N,), got {self.labels.dtype} {self.labels.shape}")
        for what, values in (("keys", keys), ("groups", groups)):
            if values is not None and len(values) != self.labels.size:
                raise ShapeError(f"{self.labels.size} labels but {len(values)} {what}")
        joined = joined_keys(keys, groups)
        self.keys = [str(index) for index in range(self.labels.size)] if joined is None else list(joined)
        if not self.labels.size:
            raise DataError("there are no samples to divide")
        self.classes: list[int] = np.unique(self.labels).tolist()
        self._seed, self._names = seed, class_names
        self._units, self._ties = ("different pictures", "copies") if groups is None else ("groups", "groups")

    def size(self, label: int) -> int:
        return int(np.count_nonzero(self.labels == label))

    def of_class(self, label: int, *, needed: int, purpose: str) -> list[tuple[str, list[int]]]:
        """(key, indices) of the groups of a class, in the seed's order."""
        members: dict[str, list[int]] = {}
        for index in np.flatnonzero(self.labels == label):
            members.setdefault(self.keys[index], []).append(int(index))
        if len(members) < needed:
            found = f"class {self._name(label)} has too few {self._units} ({len(members)})"
            raise DataError(f"{found}: {needed} are needed, {purpose}; add pictures or remove the class")
        return sorted(members.items(), key=lambda item: self._rank(item[0]))

    def split(self, part: dict[str, int], validation: int) -> Split:
        """The samples whose part has this number, and the others; no class may be missing on either side."""
        held_out = np.array([part[key] == validation for key in self.keys])
        for side in (held_out, ~held_out):
            missing = np.setdiff1d(self.classes, self.labels[side])
            if missing.size:
                names = ", ".join(self._name(label) for label in missing)
                raise DataError(
                    f"{self._ties} in other classes decide where all pictures of {names} go: "
                    f"{'remove the copies' if self._ties == 'copies' else 'divide the groups, or do without them'}"
                )
        return Split(np.flatnonzero(~held_out), np.flatnonzero(held_out))

    def _name(self, label: int) -> str:
        return str(label) if self._names is None else repr(self._names[label])

    def _rank(self, key: str) -> bytes:
        return hashlib.sha256(f"{self._seed}:{key}".encode()).digest()


def _fill_validation(ranked: list[tuple[str, list[int]]], target: int, part: dict[str, int]) -> None:
    """Give groups to validation (1) until the target is reached, the others to training (0).

    A group that an earlier class has decided stays where it is.
    """
    count = sum(len(indices) for key, indices in ranked if part.get(key) == 1)
    open_groups = [(key, indices) for key, indices in ranked if key not in part]
    if count == 0 and open_groups:
        # The first of the smallest, so that a class of few groups is not emptied by its largest.
        key, indices = min(open_groups, key=lambda item: len(item[1]))
        part[key], count = 1, len(indices)
    for key, indices in open_groups:
        if key not in part:
            part[key] = int(count + len(indices) <= target)
            count += part[key] * len(indices)
