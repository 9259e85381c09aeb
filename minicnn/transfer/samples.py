"""What a network is fitted to: labelled pictures as a base takes them, arrays, or a dataset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import LabelledFiles, Split
from minicnn.data.labelled import number_labels, one_each
from minicnn.data.load import array_hash
from minicnn.data.pictures import LabelledPictures
from minicnn.data.split import joined_keys
from minicnn.data.table import files_of
from minicnn.errors import ArgumentError, DataError, DTypeError
from minicnn.models.arrays import as_array
from minicnn.preparation import MODES, ResizeRule
from minicnn.transfer.base import Base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.labelled import Labelled, labelled, refuse_files
from minicnn.transfer.pictures import Pictures, read_pictures

Progress = Callable[[str, int, int], None]


class AsGiven:
    """The preparation of arrays that are what the network takes."""

    def __call__(self, images: np.ndarray) -> np.ndarray:
        return images

    def __repr__(self) -> str:
        return "as given"


@dataclass(frozen=True)
class Samples:
    """
    N samples with their classes.

    Attributes
    ----------
    images : array (N,...)
        Pictures uint8 (N,H,W,3), FilePictures among them, or what the network takes.
    labels : int64 (N,)
        Positions in `class_names`.
    hashes : sequence of N
        Of each sample's bytes: copies have the same.
    preparation : function
        From some of the images to what the network takes; its text tells it from others.
    split : Split or None
        The division that train/ and val/ of a folder give.
    groups : sequence of N, or None
        What each sample belongs to, as one of several of one patient.
    pictures : Pictures or None
        The files that they were read from.
    """

    images: Any
    labels: np.ndarray
    class_names: Sequence[str]
    hashes: Sequence[str]
    preparation: Any
    split: Split | None = None
    groups: Sequence[str] | None = None
    pictures: Pictures | None = None

    @property
    def keys(self) -> Sequence[str]:
        """N names, equal for samples that stay on one side of every division: copies, and those of one group."""
        return joined_keys(self.hashes, self.groups) or self.hashes

    def name(self, index: int) -> str:
        """What a sample is called: its file from the folder on, or its number."""
        return f"sample {index}" if self.pictures is None else self.pictures.name(index)

    def prepared(self, rows: np.ndarray) -> np.ndarray:
        """Some samples as the network takes them."""
        return self.preparation(self.images[rows])


def of_pictures(pictures: Pictures, base: Base) -> Samples:
    """The pictures of a folder, read at the size of a base, as it takes them."""
    files = pictures.folder
    known = files.class_names, pictures.hashes, base.preparation, files.split, files.groups, pictures
    return Samples(pictures.images, pictures.labels, *known)


def of_labelled(pictures: Labelled, base: Base) -> Samples:
    """Labelled pictures as a base takes them."""
    images, known = pictures.images(base.preparation.rule), (pictures.class_names, pictures.hashes)
    return Samples(images, pictures.labels, *known, base.preparation, groups=pictures.groups)


def samples_of(
    data: Any,
    base: Base,
    class_names: Sequence[str] | None = None,
    progress: Progress | None = None,
    cache: FeatureCache | None = None,
) -> Samples:
    """
    The samples of what a user gave as data.

    Parameters
    ----------
    data : path, LabelledFiles, (x, y), or dataset
        A folder of one folder of pictures a class, a table of files and labels, or what was read from them; arrays, x
        as `Samples.images`, y as `number_labels` takes them; or an object with `__len__` and `batches(batch_size)` of
        such arrays, which are read into memory.  Pictures, which are uint8, are resized and prepared as the base wants
        it; other arrays are what the network takes.
    class_names : sequence of C, for arrays and datasets that have no names of their own
    cache : FeatureCache, optional, as in `read_pictures`

    Raises
    ------
    ArgumentError, DataError, DTypeError, ShapeError, FileAccessError

    Examples
    --------
    >>> from minicnn.transfer import load_base
    >>> base = load_base("bundled")
    >>> samples = samples_of((np.zeros((4, 40, 40, 3), np.uint8), [0, 1, 0, 1]), base, ["cat", "dog"])
    >>> samples.labels.tolist(), samples.prepared(np.arange(2)).shape
    ([0, 1, 0, 1], (2, 32, 32, 3))
    """
    if isinstance(data, str | Path | LabelledFiles):
        return of_pictures(read_pictures(files_of(data), _rule(base), progress, cache), base)
    if hasattr(data, "batches") and hasattr(data, "__len__"):
        return _of_dataset(data, base, class_names)
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise ArgumentError(f"data must be pictures, arrays (x, y) or a dataset; it is {type(data).__name__}")
    x, y = data
    prepared_here = not isinstance(base.preparation, AsGiven)
    refuse_files(x)
    if prepared_here and all(np.asarray(sample).dtype == np.uint8 for sample in x):
        return of_labelled(labelled((x, y, class_names)), base)
    x = as_array(x, "x")
    if prepared_here:
        check_floats(x)
    one_each(f"{len(x)} samples", len(x), labels=y)
    check_finite(x, "sample")
    names, numbers = number_labels(y, class_names)
    return Samples(x, numbers, names, [array_hash(sample) for sample in x], AsGiven())


def check_floats(x: np.ndarray) -> None:
    """Refuse whole numbers that are not uint8: they may be pixels, and would not be prepared as such.

    Raises
    ------
    DTypeError
    """
    if x.dtype.kind != "f":
        raise DTypeError(f"pictures are uint8 with values 0..255, or floats as the network takes them; got {x.dtype}")


def check_finite(x: np.ndarray, what: str) -> None:
    """Refuse NaN and infinity among samples (N,...).

    Raises
    ------
    DataError
        Which names the first that holds one.
    """
    for number, sample in enumerate(x):
        if not np.isfinite(sample).all():
            raise DataError(f"{what} {number} holds NaN or infinity: mend it or leave it out")


def _rule(base: Base) -> ResizeRule:
    if isinstance(base.preparation, AsGiven):
        raise ArgumentError(
            f"model {base.name} does not say how pixels are prepared: set model.metadata['preprocessing'] to "
            f"{', '.join(map(repr, MODES[:-1]))} or {MODES[-1]!r}, or give arrays"
        )
    return base.preparation.rule


def _of_dataset(data: Any, base: Base, class_names: Sequence[str] | None) -> Samples:
    """The samples of a dataset, with the groups and the division that those of `minicnn.data` know."""
    if getattr(data, "varies", False):
        raise ArgumentError("the dataset changes its pictures: give it without, and the changes as Policy(augment=...)")
    batches = list(data.batches(256))
    if not batches:
        raise DataError("there are no samples: the dataset is empty")
    x, y = (np.concatenate(part) for part in zip(*batches))
    if not isinstance(data, LabelledPictures):
        return samples_of((x, y), base, class_names)
    names = data.class_names if class_names is None else class_names
    return replace(samples_of((x, y), base, names), split=data.split_given, groups=data.groups)
