"""Figures of decisions: how well class numbers agree with the true ones.  Names and values are scikit-learn's.

With n[i,j] the samples of class i that were taken for class j, t[i] = Σⱼ n[i,j] of that class and p[j] = Σᵢ n[i,j] put
into it, and N of all.  `y_true` is (N,); `y_pred` is (N,), or rows of scores (N,C), whose highest decides.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import one_of, whole_number
from minicnn.errors import DataError, ShapeError
from minicnn.metrics.confusion import AVERAGES, ratio
from minicnn.metrics.labels import in_range, to_classes
from minicnn.utils import whole_numbers

MOST = 10_000  # classes, for which there is a number of every two


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """
    n (C,C): row = true class, column = the one that was chosen.

    Parameters
    ----------
    num_classes : int, optional
        C; one more than the highest class number, or the columns of `y_pred`, when None.

    Raises
    ------
    DataError, ShapeError, ArgumentError
        No samples, numbers that are no class, arrays that do not fit, a C below 1.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1], [0, 0, 1])
    array([[1, 0],
           [1, 1]])
    """
    owner, true, found = "confusion_matrix", np.asarray(y_true), np.asarray(y_pred)
    if num_classes is not None:
        whole_number(owner, "num_classes", num_classes, 1)
    if found.ndim == 2 and found.shape[1] > 1:
        num_classes = columns = num_classes or int(found.shape[1])
        found = to_classes(found, columns, owner)
    true, found = (whole_numbers(y.reshape(-1), owner) for y in (true, found))
    if true.shape != found.shape:
        raise ShapeError(f"{owner}: there are {len(true)} true classes and {len(found)} that were chosen")
    if not true.size:
        raise DataError(f"{owner}: there are no samples")
    classes = num_classes or int(max(true.max(), found.max())) + 1
    if num_classes is None and classes > MOST:
        raise DataError(f"{owner}: class numbers go up to {classes - 1:,}: number the classes from 0 on without gaps")
    cells = in_range(true, classes, owner) * classes + in_range(found, classes, owner)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def accuracy_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Σᵢ n[i,i] / N.

    >>> accuracy_score([0, 1, 1, 2], [0, 1, 2, 2])
    0.75
    """
    counts = confusion_matrix(y_true, y_pred)
    return float(counts.trace() / counts.sum())


def balanced_accuracy_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """The mean of n[i,i] / t[i] over the classes that occur in `y_true`: each counts as much as any other.

    >>> balanced_accuracy_score([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    counts = confusion_matrix(y_true, y_pred)
    true = counts.sum(1)
    return float((counts.diagonal() / np.maximum(true, 1))[true > 0].mean())


def precision_recall_f1(
    y_true: ArrayLike, y_pred: ArrayLike, average: str | None = None, num_classes: int | None = None
) -> tuple[Any, Any, Any]:
    """
    precision = n[i,i] / p[i], recall = n[i,i] / t[i], F1 = 2 n[i,i] / (p[i] + t[i]); 0 / 0 counts as 0.

    Parameters
    ----------
    average : str, optional
        None gives arrays (C,), one figure a class; "macro" their mean, "weighted" their mean weighted by t, "micro" the
        figures of the sums over the classes.
    num_classes : int, optional
        C; where it is None, "macro" takes the mean over the classes that occur in either array.

    Examples
    --------
    >>> precision_recall_f1([0, 1, 1, 1], [0, 0, 1, 1], average="macro")[1]
    0.8333333333333333
    """
    one_of("precision_recall_f1", "average", average, AVERAGES)
    counts = confusion_matrix(y_true, y_pred, num_classes)
    hits, true, found = counts.diagonal(), counts.sum(1), counts.sum(0)
    if average == "micro":
        hits, true, found = (np.array([values.sum()]) for values in (hits, true, found))
    figures = ratio(hits, found), ratio(hits, true), ratio(2 * hits, true + found)
    if average is None:
        return figures
    counted = true + found > 0 if num_classes is None else np.ones(len(true), bool)
    weights = true if average == "weighted" else counted
    precision, recall, f1 = (float(np.sum(weights * figure) / weights.sum()) for figure in figures)
    return precision, recall, f1


def cohen_kappa_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """
    (a - e) / (1 - e) with a = Σ n[i,i] / N and e = Σ t[i] p[i] / N²: agreement beyond that of chance.

    NaN where both arrays hold one and the same class.

    Source
    ------
    J. Cohen, A coefficient of agreement for nominal scales (1960).

    Examples
    --------
    >>> cohen_kappa_score([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    counts = confusion_matrix(y_true, y_pred).astype(np.float64)
    total = counts.sum()
    by_chance = counts.sum(0) @ counts.sum(1) / total
    return float((counts.trace() - by_chance) / (total - by_chance)) if total > by_chance else float("nan")


def matthews_corrcoef(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """
    (N Σ n[i,i] - t·p) / √((N² - t·t) (N² - p·p)): the correlation of the classes; 0 where an array holds one class.

    Source
    ------
    J. Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient (2004).

    Examples
    --------
    >>> round(matthews_corrcoef([0, 0, 1, 1], [0, 0, 1, 0]), 4)
    0.5774
    """
    counts = confusion_matrix(y_true, y_pred).astype(np.float64)
    true, found, total = counts.sum(1), counts.sum(0), counts.sum()
    spread = (total**2 - true @ true) * (total**2 - found @ found)
    return float((total * counts.trace() - true @ found) / np.sqrt(spread)) if spread > 0 else 0.0
