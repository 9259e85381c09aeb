"""Labelled pictures that several networks look at, each at its own size: from a folder, or from arrays."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import LabelledFiles, ResizeRule, scan_folder
from minicnn.data.problems import as_text
from minicnn.errors import DataError, ShapeError
from minicnn.preparation.preparation import as_picture
from minicnn.transfer.base import Base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache, extract_features
from minicnn.transfer.pictures import read_pictures
from minicnn.utils import whole_numbers

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
    """

    labels: np.ndarray
    class_names: Sequence[str]
    hashes: Sequence[str]
    title: str
    read: Callable[[ResizeRule], np.ndarray]
    _last: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

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
        (found,), _ = extract_features(model, images, self.hashes, base.preparation, cache=cache, progress=progress)
        if not np.isfinite(found).all():
            raise DataError(f"{base.name} gives outputs that are not finite: its weights ({base.weights}) are damaged")
        return found


def labelled(data: Any, first: ResizeRule | None = None, progress: Progress | None = None) -> Labelled:
    """
    The pictures of a folder, or of arrays.

    Parameters
    ----------
    data : path, LabelledFiles, or (images, labels) with or without class names
        A path as `scan_folder` takes it; its own train/ and val/ are taken together.  Images are uint8 (N,H,W,3), or
        grey (N,H,W), or a list of such pictures of any size; labels are class numbers (N,) from 0 on.
    first : ResizeRule, optional
        The size that is wanted first: to know what can be read, a folder is read at once.

    Raises
    ------
    DataError, ShapeError, FileAccessError
        Of the kinds that `scan_folder` names; labels that do not fit the pictures or the names.

    Examples
    --------
    >>> pictures = labelled((np.zeros((4, 8, 8, 3), np.uint8), [0, 0, 1, 1], ["cat", "dog"]))
    >>> pictures.images(ResizeRule(8)).shape, pictures.class_names
    ((4, 8, 8, 3), ('cat', 'dog'))
    """
    if isinstance(data, str | Path | LabelledFiles):
        return _from_folder(data if isinstance(data, LabelledFiles) else scan_folder(data), first, progress)
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        raise DataError(
            f"labelled pictures are a folder, (images, labels) or (images, labels, names); got {data!r:.80}"
        )
    images, labels, *names = data
    pictures = [as_picture(image, channels=1) for image in images]
    classes = whole_numbers(labels, "labels").reshape(-1)
    if len(pictures) != len(classes) or not pictures:
        raise ShapeError(f"there are {len(pictures)} pictures and {len(classes)} labels: each picture needs one")
    count = int(classes.max()) + 1
    class_names = tuple(names[0]) if names else tuple(f"class {number}" for number in range(count))
    if classes.min() < 0 or count > len(class_names):
        raise DataError(f"labels lie in 0 .. {len(class_names) - 1}; they go from {classes.min()} to {count - 1}")
    hashes = [hashlib.sha256(f"{picture.shape}".encode() + picture.tobytes()).hexdigest() for picture in pictures]
    return Labelled(classes, class_names, hashes, "pictures", lambda rule: _resized(pictures, rule))


def store_of(cache: FeatureCache | bool) -> FeatureCache | None:
    """The cache that an argument means: True is the one in the user's cache folder, False none."""
    if isinstance(cache, FeatureCache):
        return cache
    return default_cache() if cache else None


def _from_folder(folder: LabelledFiles, first: ResizeRule | None, progress: Progress | None) -> Labelled:
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
    return Labelled(kept.labels, kept.class_names, found.hashes, title, read, {str(rule): found.images})


def _resized(pictures: Sequence[np.ndarray], rule: ResizeRule) -> np.ndarray:
    return np.stack([p if p.shape[:2] == rule.shape else rule.apply_to_array(p) for p in pictures])
