"""Picture files with their classes, not read yet: what a folder, a table of labels, or two lists come to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicnn.data.order import in_words, natural_key
from minicnn.data.problems import ImageProblem, printable
from minicnn.data.split import Split
from minicnn.errors import DataError
from minicnn.utils import whole_numbers


@dataclass(frozen=True)
class LabelledFiles:
    """
    N files with their classes.

    Attributes
    ----------
    root
        The folder, or the table that names the files.
    class_names
        In natural order; a label is a position in it.
    files
        N paths.
    labels
        int64 (N,).
    split
        The division that train/ and val/ give, or None.
    problems
        What was found there and is not used.
    groups
        N names of what each picture belongs to, as one of several of one patient; None where nobody says.
    """

    root: Path
    class_names: tuple[str, ...]
    files: tuple[Path, ...]
    labels: np.ndarray
    split: Split | None = None
    problems: tuple[ImageProblem, ...] = ()
    groups: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.files)

    def counts(self) -> dict[str, int]:
        """The number of files of each class."""
        found = np.bincount(self.labels, minlength=len(self.class_names))
        return dict(zip(self.class_names, found.tolist(), strict=True))

    def keep(self, indices: ArrayLike) -> "LabelledFiles":
        """These with only the files at these ascending indices: those that could be read.

        Raises
        ------
        DataError
            A class would have no file left, in the whole or in a part of the split.
        """
        indices = np.asarray(indices, np.int64)
        labels = self.labels[indices]
        split = None
        if self.split is None:
            self._check_classes(self.labels, labels, "")
        else:
            train = np.isin(indices, self.split.train)
            self._check_classes(self.labels[self.split.train], labels[train], " in the training part")
            self._check_classes(self.labels[self.split.validation], labels[~train], " in the validation part")
            split = Split(np.flatnonzero(train), np.flatnonzero(~train))
        groups = None if self.groups is None else tuple(self.groups[i] for i in indices)
        return replace(self, files=tuple(self.files[i] for i in indices), labels=labels, split=split, groups=groups)

    def _check_classes(self, before: np.ndarray, after: np.ndarray, where: str) -> None:
        lost = np.setdiff1d(before, after)
        if lost.size:
            names = in_words(self.class_names[label] for label in lost)
            raise DataError(f"{printable(self.root)}: no picture of class {names} can be read{where}: replace them")


def label_files(
    files: Sequence[str | Path],
    labels: ArrayLike,
    class_names: Sequence[str] | None = None,
    groups: Sequence[Any] | None = None,
    root: str | Path = "",
) -> LabelledFiles:
    """Files that have a label each.

    Parameters
    ----------
    files
        N paths.
    labels
        (N,): names of classes, or with `class_names` positions in it.
    class_names
        The classes in the order of a model's outputs; when None those that occur, in natural order.
    groups
        N names, of what pictures belong together to.
    root
        What to name in messages: where the files and labels come from.

    Raises
    ------
    DataError
        Lists of different lengths, a label that names no class, a class without files, or fewer than two classes.

    Examples
    --------
    >>> found = label_files(["a.png", "b.png", "c.png"], ["cat", "dog", "cat"])
    >>> found.class_names, found.labels.tolist()
    (('cat', 'dog'), [0, 1, 0])
    """
    place = f"{printable(root)}: " if root else ""
    one_each(f"{place}{len(files)} files", len(files), labels=labels, groups=groups)
    names, numbers = number_labels(labels, class_names, place)
    kept = None if groups is None else tuple(str(group) for group in groups)
    return LabelledFiles(Path(root), names, tuple(Path(file) for file in files), numbers, groups=kept)


def number_labels(
    labels: ArrayLike, class_names: Sequence[str] | None = None, place: str = ""
) -> tuple[tuple[str, ...], np.ndarray]:
    """(class names, int64 labels (N,)) of labels that are names, or numbers: positions in the class names.

    Numbers may be one-hot rows (N,C), too.  Without class names they are named by themselves, from 0 to the greatest.

    Raises
    ------
    DataError
        A label that names no class, a class that no sample has or that is named twice, or fewer than two classes.

    Examples
    --------
    >>> number_labels([2, 0, 1])
    (('0', '1', '2'), array([2, 0, 1]))
    """
    given = np.asarray(labels)
    if not given.size:
        raise DataError(f"{place}there are no labels: a classifier needs pictures of at least two classes")
    if given.ndim == 2:
        given, class_names = _of_rows(given, class_names, place)
    if given.dtype.kind in "fb":
        given = whole_numbers(given, place.rstrip(": ") or "arrays")
    if given.ndim != 1 or given.dtype.kind not in "iuUO":
        raise DataError(
            f"{place}labels must be names of classes or whole numbers (N,); they are {given.dtype} {given.shape}"
        )
    if given.dtype.kind in "iu":
        numbers = given.astype(np.int64)
        if class_names is None and given.max() >= given.size:  # as of identifiers: too many to be named one by one
            most = f"{given.size} samples, the greatest label {given.max()}"
            raise DataError(f"{place}{most}: some classes have no pictures; number them 0, 1, 2 ... or name them")
        names = tuple(map(str, range(numbers.max(initial=-1) + 1))) if class_names is None else tuple(class_names)
        wrong = np.flatnonzero((numbers < 0) | (numbers >= len(names)))
    else:
        texts = [_text(label, sample, place) for sample, label in enumerate(given)]
        names = tuple(sorted(set(texts), key=natural_key) if class_names is None else class_names)
        place_of = {name: number for number, name in enumerate(names)}
        numbers = np.array([place_of.get(text, -1) for text in texts], np.int64)
        wrong = np.flatnonzero(numbers < 0)
    if wrong.size:
        found = in_words(dict.fromkeys(str(given[i]) for i in wrong))
        raise DataError(f"{place}label {found} is none of the classes {in_words(names)}, first of sample {wrong[0]}")
    _check_learnable(names, numbers, place)
    return names, numbers


def _text(label: Any, sample: int, place: str) -> str:
    """The name of a class, refused where a table had nothing in its place."""
    if not isinstance(label, str | Integral):
        raise DataError(f"{place}the label of sample {sample} is {label!r}: each sample needs the name of its class")
    return str(label)


def _of_rows(
    rows: np.ndarray, class_names: Sequence[str] | None, place: str
) -> tuple[np.ndarray, Sequence[str] | None]:
    """(labels (N,), class names) of labels (N,1), or of one-hot rows (N,C)."""
    if rows.shape[1] == 1:
        return rows[:, 0], class_names
    names = tuple(map(str, range(rows.shape[1]))) if class_names is None else class_names
    if not (np.isin(rows, (0, 1)).all() and (np.count_nonzero(rows, axis=1) == 1).all()):
        raise DataError(f"{place}labels {rows.shape} are no one-hot rows, of a single 1 and zeros")
    if len(names) != rows.shape[1]:
        raise DataError(f"{place}labels have {rows.shape[1]} columns for the {len(names)} classes {in_words(names)}")
    return rows.argmax(axis=1), names


def _check_learnable(names: Sequence[str], numbers: np.ndarray, place: str) -> None:
    """Refuse classes that a classifier could not learn or tell apart."""
    empty = np.setdiff1d(np.arange(len(names)), numbers)
    if empty.size:
        raise DataError(
            f"{place}class {in_words(names[int(i)] for i in empty)} has no pictures: add some or leave the class out"
        )
    if len(names) < 2:
        raise DataError(f"{place}one class, {in_words(names)}: a classifier needs at least two")
    if len(set(names)) < len(names):
        raise DataError(f"{place}the classes {in_words(names)} do not all have names of their own")


def one_each(things: str, count: int, **values: Any) -> None:
    """Refuse lists, such as labels, that have not one value for each of `count` things; None is no list.

    Raises
    ------
    DataError
    """
    for what, given in values.items():
        if given is not None and (found := len(np.atleast_1d(np.asarray(given)))) != count:
            raise DataError(f"{things} but {found} {what}: each needs one")
