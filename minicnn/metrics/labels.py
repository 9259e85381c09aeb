"""Targets and outputs in the forms that metrics compare: equal shapes, class numbers, one-hot rows."""

import numpy as np

from minicnn.errors import DataError, ShapeError
from minicnn.utils import whole_numbers


def as_floats(values: np.ndarray, what: str, owner: str) -> np.ndarray:
    """`values` as floating-point numbers, which can be negated: uint8 wraps around, and bool has no negative.

    Raises
    ------
    DataError
        They are not real numbers.
    """
    if values.dtype.kind not in "fiub":
        raise DataError(f"{owner}: {what} must be numbers; they are {values.dtype}")
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def highest(scores: np.ndarray) -> np.ndarray:
    """argmax of scores (N,...,C); -1, which is no class, where one of them is NaN."""
    return np.where(np.isnan(scores).any(-1), -1, scores.argmax(-1))


def same_shape(y_true: np.ndarray, y_pred: np.ndarray, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays in the shape of y_pred; one of them may have a last axis of length 1 more.

    Raises
    ------
    ShapeError
        The shapes differ otherwise.
    """
    if y_true.shape not in (y_pred.shape, (*y_pred.shape, 1)) and (*y_true.shape, 1) != y_pred.shape:
        raise ShapeError(
            f"{owner}: targets {y_true.shape} and outputs {y_pred.shape} must have equal shapes; class numbers "
            "belong to the metric with 'sparse' in its name"
        )
    return y_true.reshape(y_pred.shape), y_pred


def sparse_classes(y_true: np.ndarray, y_pred: np.ndarray, owner: str) -> np.ndarray:
    """Class numbers (N,...) from targets (N,...) or (N,...,1), for outputs (N,...,C).

    Raises
    ------
    ShapeError, DataError
        The shapes do not fit; numbers that are no class.
    """
    shape = y_pred.shape[:-1]
    if y_true.shape not in (shape, (*shape, 1)):
        raise ShapeError(
            f"{owner}: class numbers for outputs {y_pred.shape} have shape {shape}, not {y_true.shape}; one-hot "
            "targets belong to the metric without 'sparse' in its name"
        )
    return in_range(y_true.reshape(shape), y_pred.shape[-1], owner)


def in_range(classes: np.ndarray, num_classes: int, owner: str) -> np.ndarray:
    """Class numbers as int64, when all lie in 0 .. num_classes - 1.

    Raises
    ------
    DataError
        They do not.
    """
    classes = whole_numbers(classes, owner)
    if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
        raise DataError(
            f"{owner}: class numbers must lie in 0 .. {num_classes - 1}; they go from {classes.min()} "
            f"to {classes.max()}"
        )
    return classes


def to_classes(y: np.ndarray, num_classes: int, owner: str) -> np.ndarray:
    """Class numbers (N,) from rows (N,C), from class numbers, or from one score (N,) or (N,1) for two classes.

    Raises
    ------
    ShapeError, DataError
        A shape that is none of these; numbers that are no class; NaN, which puts a sample into no class.
    """
    if y.ndim == 2 and y.shape[1] > 1:
        if y.shape[1] != num_classes:
            raise ShapeError(f"{owner}: rows of {num_classes} classes were expected; the shape is {y.shape}")
        return _without_nan(as_floats(y, "rows", owner), owner).argmax(1)
    if y.ndim not in (1, 2):
        raise ShapeError(f"{owner}: class numbers (N,) or rows (N,C) were expected; the shape is {y.shape}")
    y = y.reshape(-1)
    if num_classes == 2 and y.dtype.kind == "f" and (y != np.trunc(y)).any():
        return (_without_nan(y, owner) > 0.5).astype(np.int64)
    return in_range(y, num_classes, owner)


def _without_nan(scores: np.ndarray, owner: str) -> np.ndarray:
    if np.isnan(scores).any():
        raise DataError(f"{owner}: {np.isnan(scores).sum()} of the scores are NaN, which is no class")
    return scores


def one_hot_rows(y_true: np.ndarray, y_pred: np.ndarray, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Targets of 0 and 1, and scores, both (N,...,C); targets may come as class numbers, one column as (N,)."""
    y_true, y_pred = as_floats(y_true, "targets", owner), as_floats(y_pred, "outputs", owner)
    if not y_pred.ndim:
        raise ShapeError(f"{owner}: outputs have an axis of samples; got one number")
    if y_pred.ndim == 1:
        y_pred = y_pred[:, None]
    sparse = y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1
    if sparse and y_pred.shape[-1] > 1:
        classes = sparse_classes(y_true, y_pred, owner)
        return classes[..., None] == np.arange(y_pred.shape[-1]), y_pred
    y_true, y_pred = same_shape(y_true, y_pred, owner)
    return y_true > 0.5, y_pred
