"""Labelled pictures that several networks look at, each at its own size: from a folder, or from arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import LabelledFiles, ResizeRule
from minicnn.data.labelled import number_labels, one_each
from minicnn.data.load import array_hash
from minicnn.data.problems import as_text
from minicnn.data.split import joined_keys
from minicnn.data.table import files_of
from minicnn.errors import DataError
from minicnn.preparation.preparation import as_picture
from minicnn.transfer.base import Base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache, features_by_batch
from minicnn.transfer.pictures import read_pictures

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Labelled:
    """
    N pictures with their classes, read at a size when it is asked for.

    Attributes
    ----------
    labels : int64 (N,)
    class_names : sequence of C
    hashes : sequence of N
        Of each picture's bytes: copies have the same.
    title : str
    read : function
        From a ResizeRule to uint8 pictures (N,H,W,3).
    groups : sequence of N, or None
        What each picture belongs to, as one of several of one patient.
    """

    labels: np.ndarray
    class_names: Sequence[str]
    hashes: Sequence[str]
    title: str
    read: Callable[[ResizeRule], np.ndarray]
    groups: Sequence[str] | None = None
    _last: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def keys(self) -> Sequence[str]:
        """N names, equal for pictures that stay on one side of every division: copies, and those of one group."""
        return joined_keys(self.hashes, self.groups) or self.hashes

    def images(self, rule: ResizeRule) -> np.ndarray:
        """uint8 (N,H,W,3) by this rule; those of the rule before are let go."""
        key = str(rule)
        if key not in self._last:
            self._last.clear()
            self._last[key] = self.read(rule)
        return self._last[key]

    def features(
        self, model: Any, base: Base, cache: FeatureCache | None, progress: Progress | None = None
    ) -> np.ndarray:
        """
        The outputs (N,D) of a model that takes its pictures as `base` does, from the cache where it has them.

        Raises
        ------
        DataError
            They are not finite: the weights are damaged.
        """
        images = self.images(base.preparation.rule)
        (found,), _ = features_by_batch(model, images, self.hashes, base.preparation, cache, progress=progress)
        if not np.isfinite(found).all():
            raise DataError(f"{base.name} gives outputs that are not finite: its weights ({base.weights}) are damaged")
        return found


def labelled(data: Any, first: ResizeRule | None = None, progress: Progress | None = None) -> Labelled:
    """
    The pictures of a folder, or of arrays.

    Parameters
    ----------
    data : path, LabelledFiles, or (images, labels) with or without class names
        A folder as `scan_folder` takes it, or a table as `read_table` does.  Images are uint8 (N,H,W,3), or grey
        (N,H,W), or a list of such pictures of any size; labels as `number_labels` takes them.
    first : ResizeRule, optional
        The size that is wanted first: to know what can be read, a folder is read at once.

    Raises
    ------
    DataError, ShapeError, DTypeError, FileAccessError
        Of the kinds that `scan_folder` names; labels that do not fit the pictures or the names.

    Examples
    --------
    >>> pictures = labelled((np.zeros((4, 8, 8, 3), np.uint8), [0, 0, 1, 1], ["cat", "dog"]))
    >>> pictures.images(ResizeRule(8)).shape, pictures.class_names
    ((4, 8, 8, 3), ('cat', 'dog'))
    """
    if isinstance(data, str | Path | LabelledFiles):
        return _of_files(files_of(data), first, progress)
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise DataError(
            f"labelled pictures are a folder, (images, labels) or (images, labels, names); got {data!r:.80}"
        )
    images, labels, *names = data
    refuse_files(images)
    pictures = [as_picture(image, channels=1) for image in images]
    one_each(f"{len(pictures)} pictures", len(pictures), labels=labels)
    class_names, numbers = number_labels(labels, *names)
    hashes = [array_hash(picture) for picture in pictures]
    return Labelled(numbers, class_names, hashes, "pictures", lambda rule: _resized(pictures, rule))


def are_files(images: Any) -> bool:
    """Whether these are paths.

    >>> are_files(["a.png"]), are_files(np.array(["a.png", "b.png"])), are_files([[0.0], [1.0]])
    (True, True, False)
    """
    return len(images) > 0 and all(isinstance(image, str | Path) for image in images)


def refuse_files(images: Any) -> None:
    """Refuse paths where pictures are wanted.

    Raises
    ------
    DataError
        Which says what takes paths.
    """
    if are_files(images):
        raise DataError(
            "these are files, not pictures: give minicnn.data.label_files(files, labels) for (files, labels)"
        )


def store_of(cache: FeatureCache | bool) -> FeatureCache | None:
    """The cache that an argument means: True is the one in the user's cache folder, False none."""
    if isinstance(cache, FeatureCache):
        return cache
    return default_cache() if cache else None


def _of_files(folder: LabelledFiles, first: ResizeRule | None, progress: Progress | None) -> Labelled:
    """All readable pictures of a folder; they are decoded once more for each other size."""
    rule = first or ResizeRule(8)
    found = read_pictures(folder, rule, progress)
    kept = found.folder

    def read(rule: ResizeRule) -> np.ndarray:
        images = read_pictures(kept, rule, progress).images
        if len(images) != len(kept):
            raise DataError(f"{as_text(kept.root)}: {len(kept) - len(images)} files changed while they were read")
        return images

    title = as_text(kept.root.resolve().name)
    at_hand = {str(rule): found.images}
    return Labelled(kept.labels, kept.class_names, found.hashes, title, read, kept.groups, at_hand)


def _resized(pictures: Sequence[np.ndarray], rule: ResizeRule) -> np.ndarray:
    return np.stack([p if p.shape[:2] == rule.shape else rule.apply_to_array(p) for p in pictures])
