"""Curves over all thresholds, and the areas under them.  Names and values are scikit-learn's.

`y_true` holds 0 and 1 for scores (N,) or (N,1); class numbers, or rows of 0 and 1, for scores (N,C), of which each
column is then judged by itself: one class against the rest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import one_of
from minicnn.errors import DataError, ShapeError
from minicnn.metrics.auc import AUC, curve_points
from minicnn.metrics.confusion import AVERAGES, ratio
from minicnn.metrics.labels import as_floats, one_hot_rows


def roc_curve(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    (false positive rate, true positive rate, threshold), each (T,): from none chosen to all.

    A sample is chosen when its score is at least the threshold.  Points within a straight line are left out; a rate
    is NaN where no sample is of its kind.

    Raises
    ------
    DataError, ShapeError
        Other labels than 0 and 1, scores that are no numbers, several columns, no samples.

    Examples
    --------
    >>> fpr, tpr, threshold = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr.tolist(), tpr.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    positives, negatives, thresholds = curve_points(*_one_column(y_true, y_score, "roc_curve"))
    if len(positives) > 3:
        corner = (np.diff(positives[1:], 2) != 0) | (np.diff(negatives[1:], 2) != 0)
        kept = np.concatenate([[True, True], corner, [True]])
        positives, negatives, thresholds = positives[kept], negatives[kept], thresholds[kept]
    rates = (found / found[-1] if found[-1] else np.full(found.shape, np.nan) for found in (negatives, positives))
    fpr, tpr = rates
    return fpr, tpr, thresholds


def precision_recall_curve(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    (precision (T+1,), recall (T+1,), threshold (T,)): from all chosen to none, where precision is 1 and recall 0.

    Recall is 1 throughout where no sample is positive.

    Raises
    ------
    DataError, ShapeError
        As `roc_curve`.

    Examples
    --------
    >>> precision, recall, threshold = precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> recall.tolist(), threshold.tolist()
    ([1.0, 1.0, 0.5, 0.5, 0.0], [0.1, 0.35, 0.4, 0.8])
    """
    curve = curve_points(*_one_column(y_true, y_score, "precision_recall_curve"))
    positives, negatives, thresholds = (values[:0:-1] for values in curve)
    recall = positives / positives[0] if positives[0] else np.ones(positives.shape)
    return np.append(positives / (positives + negatives), 1.0), np.append(recall, 0.0), thresholds


def roc_auc_score(y_true: ArrayLike, y_score: ArrayLike, average: str | None = "macro") -> Any:
    """
    The area under `roc_curve`: the probability that a positive sample scores higher than a negative one.

    Parameters
    ----------
    average : str, optional
        Of the areas of several columns, one class against the rest: "macro" is their mean, "weighted" weights it by the
        samples of each class, "micro" makes one curve of all columns, None gives them all, (C,).

    Returns
    -------
    float, or array (C,)
        NaN where a class has no samples, or all.

    Source
    ------
    T. Fawcett, An introduction to ROC analysis (2006); F. Provost and P. Domingos, Well-trained PETs (2000), for the
    weighted mean.

    Examples
    --------
    >>> roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    return _averaged("roc_auc_score", lambda true, scores: AUC("ROC")(true, scores), y_true, y_score, average)


def average_precision_score(y_true: ArrayLike, y_score: ArrayLike, average: str | None = "macro") -> Any:
    """
    Σₙ (Rₙ - Rₙ₋₁) Pₙ over the thresholds: the area under the steps of the precision-recall curve.

    Parameters
    ----------
    average : see `roc_auc_score`

    Returns
    -------
    float, or array (C,)
        0 where no sample is positive.

    Examples
    --------
    >>> round(average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    return _averaged("average_precision_score", lambda true, scores: AUC("PR")(true, scores), y_true, y_score, average)


def _averaged(owner: str, area: Callable[..., float], y_true: ArrayLike, y_score: ArrayLike, average: Any) -> Any:
    one_of(owner, "average", average, AVERAGES)
    true, scores = _checked(y_true, y_score, owner)
    if true.shape[1] == 1 or average == "micro":
        return area(true.reshape(-1), scores.reshape(-1))
    areas = np.array([area(true[:, column], scores[:, column]) for column in range(true.shape[1])])
    if average is None:
        return areas
    weights = true.sum(0) if average == "weighted" else np.ones(len(areas))
    areas[weights == 0] = 0  # NaN times 0 would be NaN
    return float(ratio(np.sum(weights * areas), weights.sum()))


def _one_column(y_true: ArrayLike, y_score: ArrayLike, owner: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each sample is positive, its score, and a weight of 1, each (N,)."""
    true, scores = _checked(y_true, y_score, owner)
    if scores.shape[1] != 1:
        raise ShapeError(f"{owner}: scores (N,) of one class are needed; they are {scores.shape}: give one column")
    return true[:, 0], scores[:, 0], np.ones(len(scores))


def _checked(y_true: ArrayLike, y_score: ArrayLike, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 0 and 1 (N,C), and scores (N,C) without NaN."""
    labels = np.asarray(y_true)
    true, scores = one_hot_rows(labels, np.asarray(y_score), owner)
    if scores.ndim != 2 or not len(scores):
        raise ShapeError(f"{owner}: scores of at least one sample are needed, (N,) or (N,C); they are {scores.shape}")
    if labels.size == true.size and not np.isin(as_floats(labels, "targets", owner), (0, 1)).all():
        raise DataError(f"{owner}: labels of scores (N,) are 0 and 1; they go from {labels.min()} to {labels.max()}")
    if np.isnan(scores).any():
        raise DataError(f"{owner}: {np.isnan(scores).sum()} of the scores are NaN, which has no place in an order")
    return true, scores
