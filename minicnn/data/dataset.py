"""What `fit` asks of data: how many samples there are, and batches of them in a given order."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from minicnn.data.load import load_images
from minicnn.data.problems import ImageError
from minicnn.errors import ArgumentError, DataError
from minicnn.preparation.resize import ResizeRule
from minicnn.training import arrays_text

Batch = tuple[np.ndarray, np.ndarray]


@runtime_checkable
class Dataset(Protocol):
    """Anything with these two methods can be given to `fit`, `evaluate` and `predict`."""

    def __len__(self) -> int:
        """The number of samples N."""
        ...

    def batches(self, batch_size: int, order: ArrayLike | None = None) -> Iterator[Batch]:
        """(x, y) of batch_size samples after batch_size samples, the last batch may be smaller.

        `order` is int (M,): the samples to take and in which order; all as they lie when None.
        """
        ...


class ArrayDataset:
    """Samples that lie in two arrays of equal length.

    Parameters
    ----------
    x, y
        (N, …) each.

    Raises
    ------
    DataError
        Lengths that differ.

    Examples
    --------
    >>> data = ArrayDataset(np.arange(5), np.arange(5) % 2)
    >>> [x.tolist() for x, y in data.batches(2, order=[4, 3, 2, 1, 0])]
    [[4, 3], [2, 1], [0]]
    """

    def __init__(self, x: ArrayLike, y: ArrayLike):
        self.x, self.y = np.asarray(x), np.asarray(y)
        _check_lengths(self.x, self.y)

    def __len__(self) -> int:
        return len(self.x)

    def digest(self) -> str:
        """Another text where the samples are others."""
        return arrays_text([[self.x, self.y]])

    def batches(self, batch_size: int, order: ArrayLike | None = None) -> Iterator[Batch]:
        for indices in _portions(len(self), batch_size, order):
            yield self.x[indices], self.y[indices]


class FolderDataset:
    """Picture files that are decoded batch by batch, so that only one batch is in memory.

    Parameters
    ----------
    files
        N paths.
    labels
        (N,) class numbers, or (N, C) one-hot rows.
    rule
        The size, and how to reach it.
    preprocess
        From uint8 (B, H, W, 3) to what the network takes; nothing when None.

    Raises
    ------
    DataError
        Lengths that differ.
    ImageError
        While batches are drawn: a file that cannot be read; `check_images` finds those before.
    """

    def __init__(
        self,
        files: Sequence[str | Path],
        labels: ArrayLike,
        rule: ResizeRule,
        preprocess: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self.files, self.labels = list(files), np.asarray(labels)
        self.rule, self.preprocess = rule, preprocess
        _check_lengths(self.files, self.labels)

    def __len__(self) -> int:
        return len(self.files)

    def digest(self) -> str:
        """Another text where files have other names, sizes or labels; their pixels are not read."""
        paths = [Path(file) for file in self.files]
        files = [(path.name, path.stat().st_size if path.exists() else None) for path in paths]
        told = repr((files, self.labels.tolist(), self.rule))
        return hashlib.blake2b(told.encode(), digest_size=4).hexdigest()

    def batches(self, batch_size: int, order: ArrayLike | None = None) -> Iterator[Batch]:
        for indices in _portions(len(self), batch_size, order):
            loaded = load_images([self.files[i] for i in indices], self.rule)
            for problem in loaded.problems:
                raise ImageError(problem.path, problem.kind, problem.message)
            x = loaded.images if self.preprocess is None else self.preprocess(loaded.images)
            yield x, self.labels[indices]


def _check_lengths(x, y: np.ndarray) -> None:
    if len(x) != len(y):
        raise DataError(f"{len(x)} samples but {len(y)} labels: each sample needs one")


def _portions(count: int, batch_size: int, order: ArrayLike | None) -> Iterator[np.ndarray]:
    if batch_size < 1:
        raise ArgumentError(f"batch_size must be at least 1, got {batch_size}")
    order = np.arange(count) if order is None else np.asarray(order)
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
