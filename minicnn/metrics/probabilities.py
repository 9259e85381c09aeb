"""Figures of probabilities: how much was said of the true class.  Names and values are scikit-learn's.

`y_true` holds class numbers (N,); `y_prob` rows (N,C) that sum to 1, or (N,) or (N,1), the probability of the second of
two classes.
"""

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import whole_number
from minicnn.errors import DataError, ShapeError
from minicnn.metrics.labels import as_floats, sparse_classes
from minicnn.utils import one_hot

SUM_TOLERANCE = 1e-3  # float16 rows of a thousand classes are as far from 1


def log_loss(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """
    mean of -log p[n, y[n]], with p kept ε away from 0 and 1, where ε is the distance from 1 to the next float.

    Raises
    ------
    DataError, ShapeError
        Numbers that are no probabilities or no class, arrays that do not fit, no samples.

    Examples
    --------
    >>> round(log_loss([1, 0], [[0.1, 0.9], [0.8, 0.2]]), 4)
    0.1643
    """
    labels, rows = checked_probabilities(y_true, y_prob, "log_loss")
    own = np.take_along_axis(rows, labels[:, None], axis=1)
    tiny = np.finfo(rows.dtype).eps
    return float(-np.log(np.clip(own, tiny, 1 - tiny).astype(np.float64)).mean())


def brier_score_loss(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """
    mean of Σₖ (p[n,k] - [y[n] = k])², halved for two classes, where it is (p - y)².

    Raises
    ------
    DataError, ShapeError
        As `log_loss`.

    Source
    ------
    G. W. Brier, Verification of forecasts expressed in terms of probability (1950).

    Examples
    --------
    >>> round(brier_score_loss([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]), 4)
    0.0375
    """
    labels, rows = checked_probabilities(y_true, y_prob, "brier_score_loss")
    squares = np.square(rows.astype(np.float64) - one_hot(labels, rows.shape[1], np.float64)).sum(axis=1)
    return float(squares.mean() / (2 if rows.shape[1] == 2 else 1))


def top_k_accuracy_score(y_true: ArrayLike, y_score: ArrayLike, k: int = 2) -> float:
    """
    The share of samples whose class is among the k highest scores (N,C); of equal scores the later class is higher.

    Raises
    ------
    DataError, ShapeError, ArgumentError
        NaN among the scores, numbers that are no class, arrays that do not fit, a k below 1.

    Examples
    --------
    >>> top_k_accuracy_score([0, 1, 2], [[0.5, 0.3, 0.2], [0.4, 0.1, 0.5], [0.2, 0.5, 0.3]], k=2)
    0.6666666666666666
    """
    owner = "top_k_accuracy_score"
    whole_number(owner, "k", k, 1)
    labels, scores = _rows(y_true, y_score, owner)
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    later = np.arange(scores.shape[1]) > labels[:, None]
    before = (scores > own) | ((scores == own) & later)
    return float((before.sum(axis=1) < k).mean())


def checked_probabilities(y_true: ArrayLike, y_prob: ArrayLike, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """
    Class numbers (N,) and rows of probabilities (N,C), C at least 2.

    Raises
    ------
    DataError, ShapeError
        Numbers that are no probabilities or no class, arrays that do not fit, no samples.
    """
    given = np.asarray(y_prob)
    if given.ndim == 1 or (given.ndim == 2 and given.shape[1] == 1):
        second = as_floats(given.reshape(-1), "probabilities", owner)
        given = np.stack([1 - second, second], axis=1)
    labels, rows = _rows(y_true, given, owner)
    low, high = rows.min(), rows.max()
    if low < 0 or high > 1:
        raise DataError(f"{owner}: probabilities lie in [0, 1]; these go from {low:g} to {high:g}: use a softmax")
    sums = rows.sum(axis=1, dtype=np.float64)
    if np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise DataError(f"{owner}: the probabilities of a sample sum to 1; here from {sums.min():g} to {sums.max():g}")
    return labels, rows


def _rows(y_true: ArrayLike, y_score: ArrayLike, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Class numbers (N,) and scores (N,C) without NaN."""
    scores = as_floats(np.asarray(y_score), "scores", owner)
    if scores.ndim != 2 or not scores.size:
        raise ShapeError(f"{owner}: rows (N,C) of at least one sample are needed; the shape is {scores.shape}")
    if np.isnan(scores).any():
        raise DataError(f"{owner}: {np.isnan(scores).sum()} of the scores are NaN")
    return sparse_classes(np.asarray(y_true), scores, owner), scores
