"""Labelled pictures for `fit`: read, changed at random and prepared by threads, ahead of training."""

import copy
import hashlib
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import switch, whole_number
from minicnn.data.ahead import made_ahead, thread_count
from minicnn.data.augment import Pipeline
from minicnn.data.dataset import Batch, portions
from minicnn.data.images import read_picture
from minicnn.data.labelled import LabelledFiles, number_labels, one_each
from minicnn.data.load import array_hash, file_hashes
from minicnn.data.problems import printable
from minicnn.data.remarks import split_remarks
from minicnn.data.split import Split, check_variety, stratified_folds, stratified_split
from minicnn.data.table import files_of
from minicnn.errors import ArgumentError, DataError, DTypeError, MinicnnError, ShapeError
from minicnn.preparation import Preparation, ResizeRule
from minicnn.preparation.preparation import as_picture
from minicnn.utils import to_categorical


class LabelledPictures:
    """N pictures with their classes, in batches (x, y) for `fit`, `evaluate` and `predict`.

    x is what the preparation makes of them, y int64 (B,), or with `one_hot`, or where pictures are mixed, float32
    (B,C).  While a batch is used, threads make the next two; no more is in memory.

    Which pixels picture i has in an epoch depends on the pipeline's seed, i and the epoch alone, i being its place in
    the whole set: on no number of threads, no batch, no order, no division.

    Attributes
    ----------
    class_names
        In the order of labels and of a model's outputs; `metadata()` has what a model file is to say of them.
    labels
        int64 (N,).
    split_given
        The division that the source has, or None.
    augmentation
        A pipeline, or None.
    """

    def __init__(
        self,
        class_names: Sequence[str],
        labels: np.ndarray,
        preparation: Preparation | ResizeRule | None,
        one_hot: bool,
        threads: int | None,
    ):
        name = type(self).__name__
        self.class_names, self.labels = tuple(class_names), labels
        self.preparation = preparation
        self.one_hot = switch(name, "one_hot", one_hot)
        self.threads = None if threads is None else whole_number(name, "threads", threads, 1)
        self.groups: tuple[str, ...] | None = None
        self.split_given: Split | None = None
        self.augmentation: Pipeline | None = None
        self.numbers = np.arange(len(labels))  # of each sample in the whole set
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.labels)

    # What the sources say -----------------------------------------------------------------------------------------

    def read(self, row: int) -> np.ndarray:
        """uint8 (H,W,3) of one picture, of the size that the preparation has."""
        raise NotImplementedError

    def name(self, row: int) -> str:
        """What a message calls a picture."""
        raise NotImplementedError

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """N SHA-256 sums, by which copies are found."""
        raise NotImplementedError

    # What fit asks ------------------------------------------------------------------------------------------------

    @property
    def varies(self) -> bool:
        """Whether a sample is another one in every epoch, so that nothing computed from it may be kept."""
        return self.augmentation is not None

    def begin_epoch(self, epoch: int) -> None:
        """The batches to come are those of this epoch, from 0; `fit` says so."""
        self.epoch = whole_number(type(self).__name__, "epoch", epoch, 0)

    def identity(self) -> str:
        """A text that is another where the pictures, their classes, or what is done to them are others."""
        done = [self.class_names, self.labels.tolist(), self.numbers.tolist(), self.preparation, self.augmentation]
        return hashlib.sha256("\n".join([*self.hashes, *map(repr, done)]).encode()).hexdigest()

    def digest(self) -> str:
        """The beginning of `identity`."""
        return self.identity()[:12]

    def batches(self, batch_size: int, order: ArrayLike | None = None) -> Iterator[Batch]:
        """(x, y) of batch_size samples after batch_size samples, the last batch may be smaller.

        `order` is int (M,): the samples to take and in which order; all as they lie when None.

        Raises
        ------
        ImageError, DataError
            In the batch where it belongs: a file that cannot be read, or an augmentation that fails, by its name.
        """
        epoch = self.epoch
        return made_ahead(
            portions(len(self), batch_size, order),
            lambda row: self._picture(row, epoch),
            lambda rows, pictures: self._batch(rows, pictures, epoch),
            thread_count(self.threads),
        )

    def _picture(self, row: int, epoch: int) -> np.ndarray:
        image = self.read(row)
        if self.augmentation is None:
            return image
        try:
            return self.augmentation(image, int(self.numbers[row]), epoch)
        except MinicnnError as error:
            raise DataError(f"{self.name(row)}: {error}") from error
        except Exception as error:  # of functions of other libraries, anything
            raise DataError(f"{self.name(row)}: its augmentation failed ({type(error).__name__}: {error})") from error

    def _batch(self, rows: np.ndarray, pictures: list[np.ndarray], epoch: int) -> Batch:
        sizes = {picture.shape: row for row, picture in zip(rows, pictures)}
        if len(sizes) > 1:
            said = " and ".join(f"{self.name(row)} of {shape}" for shape, row in list(sizes.items())[:2])
            raise ShapeError(f"the pictures of a batch must have one size: {said}; name one, as ResizeRule does")
        images, labels = np.stack(pictures), self.labels[rows]
        if self._soft:
            labels = to_categorical(labels, len(self.class_names)).astype(np.float32)
        if self.augmentation is not None and self.augmentation.mixing:
            images, labels = self.augmentation.mix(images, labels, self.numbers[rows].tolist(), epoch)
        return self.preparation(images) if isinstance(self.preparation, Preparation) else images, labels

    @property
    def _soft(self) -> bool:
        return self.one_hot or (self.augmentation is not None and bool(self.augmentation.mixing))

    # Others like it -----------------------------------------------------------------------------------------------

    def augmented(self, pipeline: Pipeline | None) -> Any:
        """These pictures, changed by a pipeline; the same set stays as it is."""
        if not isinstance(pipeline, Pipeline | None):
            raise ArgumentError(f"augmented takes a Pipeline of minicnn.data.augment, or None; got {pipeline!r}")
        other = copy.copy(self)
        other.augmentation = pipeline
        return other

    def take(self, rows: ArrayLike) -> Any:
        """The pictures at these places (M,), in this order, or those where a mask (N,) is true.

        Their numbers, and so their changes, stay.

        Raises
        ------
        DataError
            Places that are none.
        """
        rows = self._places(rows)
        other = copy.copy(self)
        other.labels, other.numbers, other.split_given = self.labels[rows], self.numbers[rows], None
        other.groups = None if self.groups is None else tuple(self.groups[i] for i in rows)
        if "hashes" in self.__dict__:
            other.__dict__["hashes"] = tuple(self.hashes[i] for i in rows)
        return other

    def _places(self, rows: ArrayLike) -> np.ndarray:
        rows, count = np.asarray(rows), len(self)
        if rows.dtype == bool and rows.shape == (count,):
            rows = np.flatnonzero(rows)
        if rows.size and (rows.dtype.kind not in "iu" or rows.min() < -count or rows.max() >= count):
            raise DataError(f"there are pictures 0 to {count - 1}: take such numbers, or a mask ({count},)")
        return rows.astype(np.int64)

    def split(self, fraction: float = 0.2, *, seed: int = 0) -> tuple[Any, Any]:
        """(training, validation): the division that the source has; else `fraction` of each class is kept aside.

        Copies of a file, and pictures of one group, stay together.  Of a division that the source has, a Python warning
        says which pictures are in both parts and which classes a part lacks.

        Raises
        ------
        DataError
            All pictures are the same, or a class cannot be divided.
        """
        check_variety(self.hashes)
        if self.split_given is None:
            split = stratified_split(self.labels, fraction, seed=seed, **self._divided_by())
        else:
            split = self.split_given
            names = [self.name(row) for row in range(len(self))]
            for remark in split_remarks(split, self.labels, self.hashes, names, self.class_names, self.groups):
                warnings.warn(remark, stacklevel=2)
        return self.take(split.train), self.take(split.validation)

    def folds(self, k: int = 5, *, seed: int = 0) -> list[tuple[Any, Any]]:
        """k times (training, validation), in which each picture is once in validation; see `stratified_folds`."""
        check_variety(self.hashes)
        splits = stratified_folds(self.labels, k, seed=seed, **self._divided_by())
        return [(self.take(split.train), self.take(split.validation)) for split in splits]

    def _divided_by(self) -> dict[str, Any]:
        return {"keys": self.hashes, "groups": self.groups, "class_names": self.class_names}

    def metadata(self) -> dict[str, Any]:
        """What a model file is to say: the names of the classes in their order, and the preparation if there is one.

        >>> photos = ImageArrays(np.zeros((2, 8, 8, 3), np.uint8), [0, 1], Preparation(ResizeRule(8), "tf"))
        >>> photos.metadata()["class_names"], photos.metadata()["preprocessing"]
        (['0', '1'], 'tf')
        """
        if isinstance(self.preparation, Preparation):
            return self.preparation.metadata(self.class_names)
        return {"class_names": list(self.class_names)}


class ImageFolder(LabelledPictures):
    """Picture files that are read when their batch comes: for folders that do not fit in memory.

    Parameters
    ----------
    source
        A folder with one folder of pictures a class, or with train/ and val/ of that shape (`scan_folder`); a table
        of files and labels (`read_table`); or what `scan_folder`, `read_table` or `label_files` gave.  Classes are in
        natural order, which `class_names` says.
    preparation
        From pictures to the model's input, as `Preparation.from_metadata(model.metadata, model.input_shape)` has it; a
        ResizeRule, or a size, where the model takes uint8 pictures of that size.
    one_hot
        Whether y are rows with a one, instead of numbers of classes.
    threads
        That read; as many as processors, at most 8, when None.

    Raises
    ------
    DataError, FileAccessError
        As of `scan_folder` and `read_table`.

    Examples
    --------
    >>> from minicnn.data import ImageFolder, augment
    >>> photos = ImageFolder("photos", Preparation(ResizeRule(224), "tf"))                  # doctest: +SKIP
    >>> train, validation = photos.split(0.2, seed=0)                                       # doctest: +SKIP
    >>> changes = augment.Pipeline([augment.Flip(), augment.Rotate(10)], seed=0)            # doctest: +SKIP
    >>> model.fit(train.augmented(changes), epochs=10, validation_data=validation)          # doctest: +SKIP
    >>> model.metadata |= photos.metadata()                                                 # doctest: +SKIP
    """

    def __init__(
        self,
        source: str | Path | LabelledFiles,
        preparation: Preparation | ResizeRule | int | Sequence[int],
        *,
        one_hot: bool = False,
        threads: int | None = None,
    ):
        source = files_of(source)
        if not isinstance(preparation, Preparation | ResizeRule):
            preparation = ResizeRule(preparation)
        super().__init__(source.class_names, source.labels, preparation, one_hot, threads)
        self.source, self.files, self.groups, self.split_given = source, source.files, source.groups, source.split
        self.rule = preparation.rule if isinstance(preparation, Preparation) else preparation

    def read(self, row: int) -> np.ndarray:
        return read_picture(self.files[row], self.rule).pixels

    def name(self, row: int) -> str:
        return printable(self.files[row])

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        return file_hashes(self.files, threads=self.threads)

    def take(self, rows: ArrayLike) -> "ImageFolder":
        other = super().take(rows)
        other.files = tuple(self.files[i] for i in self._places(rows))
        return other


class ImageArrays(LabelledPictures):
    """Pictures that lie in memory.

    Parameters
    ----------
    images
        uint8 (N,H,W,3), or grey ones (N,H,W) or (N,H,W,1), which become three equal channels; or a list of (H,W,3).
    labels
        (N,) or (N,1), names of classes or numbers; see `label_files`.
    preparation
        To the model's input; pictures of another size are resized by its rule.  None: uint8 pictures as they are.
    class_names, groups
        As in `label_files`.
    one_hot, threads
        As in ImageFolder.

    Raises
    ------
    DataError, DTypeError, ShapeError

    Examples
    --------
    >>> from minicnn.datasets import shapes
    >>> (x, y), _ = shapes.load_data(4, size=16)
    >>> photos = ImageArrays(x, y, Preparation(ResizeRule(16), "unit"), class_names=shapes.CLASS_NAMES)
    >>> train, validation = photos.split(0.25)
    >>> [(x.shape, sorted(y.tolist())) for x, y in validation.batches(8)]
    [((6, 16, 16, 3), [0, 1, 2, 3, 4, 5])]
    """

    def __init__(
        self,
        images: Any,
        labels: ArrayLike,
        preparation: Preparation | ResizeRule | None = None,
        *,
        class_names: Sequence[str] | None = None,
        groups: Sequence[Any] | None = None,
        one_hot: bool = False,
        threads: int | None = None,
    ):
        one_each(f"{len(images)} pictures", len(images), labels=labels, groups=groups)
        names, numbers = number_labels(labels, class_names)
        super().__init__(names, numbers, preparation, one_hot, threads)
        self.images = images
        self.groups = None if groups is None else tuple(str(group) for group in groups)

    def read(self, row: int) -> np.ndarray:
        image = self.images[self.numbers[row]]
        try:
            picture = as_picture(image, channels=1)
        except (DTypeError, ShapeError) as error:
            raise type(error)(f"{self.name(row)}: {error}") from None
        if self.preparation is None:
            return picture
        rule = self.preparation.rule if isinstance(self.preparation, Preparation) else self.preparation
        return picture if picture.shape[:2] == rule.shape else rule.apply_to_array(picture)

    def name(self, row: int) -> str:
        return f"picture {self.numbers[row]}"

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        return tuple(array_hash(self.images[number]) for number in self.numbers)
