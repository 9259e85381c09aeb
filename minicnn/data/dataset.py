"""What `fit` asks of data: how many samples there are, and batches of them in a given order."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from minicnn.errors import ArgumentError, DataError
from minicnn.training import arrays_text

Batch = tuple[np.ndarray, np.ndarray]


@runtime_checkable
class Dataset(Protocol):
    """Anything with these two methods can be given to `fit`, `evaluate` and `predict`.

    One whose samples are others in every epoch has a true attribute `varies` too, and `begin_epoch(epoch)`, which `fit`
    calls before it asks for the batches of an epoch.
    """

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
        if len(self.x) != len(self.y):
            raise DataError(f"{len(self.x)} samples but {len(self.y)} labels: each sample needs one")

    def __len__(self) -> int:
        return len(self.x)

    def digest(self) -> str:
        """Another text where the samples are others."""
        return arrays_text([[self.x, self.y]])

    def batches(self, batch_size: int, order: ArrayLike | None = None) -> Iterator[Batch]:
        for indices in portions(len(self), batch_size, order):
            yield self.x[indices], self.y[indices]


def portions(count: int, batch_size: int, order: ArrayLike | None) -> Iterator[np.ndarray]:
    """The rows of each batch, of all or of those in `order`."""
    if batch_size < 1:
        raise ArgumentError(f"batch_size must be at least 1, got {batch_size}")
    order = np.arange(count) if order is None else np.asarray(order)
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
