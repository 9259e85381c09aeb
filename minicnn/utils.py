"""Small tools for preparing data."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minicnn.errors import DataError
from minicnn.seeds import set_random_seed

__all__ = ["set_random_seed", "to_categorical"]


def to_categorical(y: ArrayLike, num_classes: int | None = None, dtype: DTypeLike = "float32") -> np.ndarray:
    """One-hot rows: result[..., k] = 1 where y = k, else 0.

    Parameters
    ----------
    y : integers 0 .. num_classes-1 of any shape; a last axis of length 1 is dropped
    num_classes : number of columns; max(y) + 1 when None

    Returns
    -------
    array of shape (*y.shape, num_classes)

    Raises
    ------
    DataError
        Labels that are not whole numbers from 0 to num_classes - 1.

    Examples
    --------
    >>> from minicnn.utils import to_categorical
    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = whole_numbers(y, "to_categorical")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        if not labels.size:
            raise DataError("to_categorical: there is no label to tell the number of classes by; pass num_classes")
        num_classes = int(labels.max()) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise DataError(
            f"to_categorical: labels must lie in 0 .. {num_classes - 1}; they go from {labels.min()} to {labels.max()}"
        )
    return one_hot(labels, num_classes, dtype)


def one_hot(classes: np.ndarray, count: int, dtype: DTypeLike) -> np.ndarray:
    """Rows (...,count) with a 1 at the class (...) of each; the classes lie in 0 .. count - 1."""
    rows = np.zeros((*classes.shape, count), dtype)
    np.put_along_axis(rows, classes[..., None], 1, axis=-1)
    return rows


def whole_numbers(values: Any, owner: str) -> np.ndarray:
    """`values` as int64, when each is a whole number.

    Raises
    ------
    DataError
        They are not numbers, or not whole.
    """
    array = np.asarray(values)
    whole = np.array(array.dtype.kind in "biu") | np.zeros(array.shape, bool)
    if array.dtype.kind == "f":
        whole = np.isfinite(array) & (array == np.trunc(array))
    if not whole.all():
        raise DataError(
            f"{owner}: labels must be whole numbers; they are {array.dtype} such as {array[~whole].tolist()[0]!r}"
        )
    return array.astype(np.int64)
