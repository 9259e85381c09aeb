"""What a network is fitted to: pictures of a folder, arrays, or a dataset, with their classes."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import Split, scan_folder
from minicnn.errors import ArgumentError, DataError
from minicnn.models.batches import as_array
from minicnn.preparation import MODES
from minicnn.preparation.preparation import as_picture
from minicnn.transfer.base import Base
from minicnn.transfer.pictures import Pictures, read_pictures
from minicnn.utils import whole_numbers

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
        Pictures uint8 (N,H,W,3), or what the network takes.
    labels : int64 (N,)
        Positions in `class_names`.
    hashes : sequence of N
        Of each sample's bytes: copies have the same, and stay on one side of every division.
    preparation : function
        From some of the images to what the network takes; its text tells it from others.
    split : Split or None
        The division that train/ and val/ of a folder give.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: Sequence[str]
    hashes: Sequence[str]
    preparation: Any
    split: Split | None = None

    def prepared(self, rows: np.ndarray) -> np.ndarray:
        """Some samples as the network takes them."""
        return self.preparation(self.images[rows])


def of_pictures(pictures: Pictures, base: Base) -> Samples:
    """The pictures of a folder, as a base takes them."""
    folder = pictures.folder
    return Samples(
        pictures.images, pictures.labels, folder.class_names, pictures.hashes, base.preparation, folder.split
    )


def samples_of(
    data: Any, base: Base, class_names: Sequence[str] | None = None, progress: Progress | None = None
) -> Samples:
    """
    The samples of what a user gave as data.

    Parameters
    ----------
    data : path, (x, y), or dataset
        A folder of one folder of pictures a class; arrays, x as `Samples.images`, y class numbers (N,) or one-hot
        rows (N,C); or an object with `__len__` and `batches(batch_size)` of such arrays, which are read into memory.
        Arrays of uint8 are pictures, which are resized and prepared as the base wants it; others are what the network
        takes.
    class_names : sequence of C, optional
        For arrays and datasets; "0", "1", ... when None.

    Raises
    ------
    ArgumentError, DataError, FileAccessError

    Examples
    --------
    >>> from minicnn.transfer import load_base
    >>> base = load_base("bundled")
    >>> samples = samples_of((np.zeros((4, 40, 40, 3), np.uint8), [0, 1, 0, 1]), base, ["cat", "dog"])
    >>> samples.labels.tolist(), samples.prepared(np.arange(2)).shape
    ([0, 1, 0, 1], (2, 32, 32, 3))
    """
    if isinstance(data, str | Path):
        if isinstance(base.preparation, AsGiven):
            raise ArgumentError(
                f"model {base.name} does not say how pixels are prepared: set model.metadata['preprocessing'] to "
                f"{', '.join(map(repr, MODES[:-1]))} or {MODES[-1]!r}, or give arrays"
            )
        return of_pictures(read_pictures(scan_folder(data), base.preparation.rule, progress), base)
    if hasattr(data, "batches") and hasattr(data, "__len__"):
        batches = list(data.batches(256))
        if not batches:
            raise DataError("there are no samples: the dataset is empty")
        data = tuple(np.concatenate(part) for part in zip(*batches))
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise ArgumentError(f"data must be a folder, arrays (x, y) or a dataset; it is {type(data).__name__}")
    return _of_arrays(data[0], data[1], base, class_names)


def _of_arrays(x: Any, y: Any, base: Base, class_names: Sequence[str] | None) -> Samples:
    x, y = as_array(x, "x"), as_array(y, "y")
    if len(x) != len(y) or not len(x):
        raise DataError(f"x has {len(x)} samples, y has {len(y)}: each sample needs one label")
    one_hot = y.ndim == 2 and y.shape[1] > 1
    labels = whole_numbers(y.argmax(axis=1) if one_hot else y.reshape(-1), "labels").reshape(-1)
    count = y.shape[1] if one_hot else int(labels.max()) + 1
    names = [str(label) for label in range(count)] if class_names is None else [str(name) for name in class_names]
    if labels.min() < 0 or count > len(names) or len(names) < 2:
        raise DataError(
            f"labels go from {labels.min()} to {labels.max()}, for {len(names)} classes: 0 on, two at least"
        )
    pictures = x.dtype == np.uint8 and not isinstance(base.preparation, AsGiven)
    hashes = [hashlib.sha256(sample.tobytes()).hexdigest() for sample in np.ascontiguousarray(x)]
    if pictures and x.shape[1:3] != base.preparation.size:
        x = np.stack([base.preparation.rule.apply_to_array(as_picture(picture)) for picture in x])
    return Samples(x, labels, names, hashes, base.preparation if pictures else AsGiven())
