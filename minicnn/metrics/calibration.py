"""Calibration: whether a model that is sure of 80 % is right 80 times in 100, and how to make it so.

The confidence of a sample is its largest probability, and it is right when that is the probability of its class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import number, whole_number
from minicnn.metrics.confusion import ratio
from minicnn.metrics.probabilities import checked_probabilities

COOLEST, HOTTEST = 1e-3, 1e3
HALVINGS = 100


@dataclass(frozen=True)
class Reliability:
    """
    Samples by confidence, B bins of equal width: what a reliability diagram draws.

    Attributes
    ----------
    edges : float (B+1,)
        From 0 to 1; a bin holds the confidences above its lower edge and up to its upper one, the first 0 too.
    confidence, accuracy : float (B,)
        Means over the samples of each bin, 0 where it has none.
    count : int (B,)
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Σ_b count[b] / N · |accuracy[b] - confidence[b]|, the expected calibration error."""
        return float(np.sum(self.count * np.abs(self.accuracy - self.confidence)) / self.count.sum())


def reliability_diagram(y_true: ArrayLike, y_prob: ArrayLike, bins: int = 15) -> Reliability:
    """
    Confidence and accuracy of the samples in each of `bins` bins of confidence.

    Parameters
    ----------
    y_true : class numbers (N,)
    y_prob : probabilities (N,C), or (N,) of the second of two classes

    Raises
    ------
    ArgumentError, DataError, ShapeError
        No bins; arrays that `log_loss` refuses.

    Source
    ------
    A. Niculescu-Mizil and R. Caruana, Predicting good probabilities with supervised learning (2005), for the diagram;
    C. Guo et al., On calibration of modern neural networks (2017), equations 2 and 3, for several classes.

    Examples
    --------
    >>> diagram = reliability_diagram([1, 1, 0, 0], [0.9, 0.9, 0.9, 0.1], bins=2)
    >>> diagram.count.tolist(), diagram.accuracy.tolist(), round(diagram.error, 2)
    ([0, 4], [0.0, 0.75], 0.15)
    """
    whole_number("reliability_diagram", "bins", bins, 1)
    labels, rows = checked_probabilities(y_true, y_prob, "reliability_diagram")
    confidence = rows.max(axis=1).astype(np.float64)
    right = rows.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], confidence)
    count, sure, hits = (np.bincount(place, values, bins) for values in (None, confidence, right))
    return Reliability(edges, ratio(sure, count), ratio(hits, count), count)


def expected_calibration_error(y_true: ArrayLike, y_prob: ArrayLike, bins: int = 15) -> float:
    """
    Σ_b n[b] / N · |accuracy[b] - confidence[b]| over B bins (0, 1/B], (1/B, 2/B], … of confidence.

    The confidence is the largest probability of a sample, the bins have equal width, and their error is weighted by
    their samples: the definition of Guo et al.; others differ in the bins.

    Source
    ------
    M. P. Naeini, G. Cooper and M. Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning (2015);
    C. Guo et al., On calibration of modern neural networks (2017), equation 3.

    Examples
    --------
    >>> round(expected_calibration_error([1, 1, 0, 0], [0.9, 0.9, 0.9, 0.1]), 4)
    0.15
    """
    return reliability_diagram(y_true, y_prob, bins).error


def fit_temperature(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """
    The T > 0 for which the log-loss of `with_temperature(y_prob, T)` is least: above 1 where the model is too sure.

    With z = log p, b = 1/T and q = softmax(b z), the slope of the loss is mean Σₖ q[k] (z[k] - z[y]).  It grows with b,
    so its root is found by bisection of log b; T is kept in [0.001, 1000].  Where no sample's class has less than the
    largest probability, the loss falls without end as T falls, so that these samples tell no temperature: T is 1, which
    leaves probabilities as they are.  Fit it on pictures that the model was not trained on.

    Source
    ------
    C. Guo et al., On calibration of modern neural networks (2017), section 4.2.

    Examples
    --------
    >>> T = fit_temperature([1, 1, 1, 0], [0.99, 0.99, 0.99, 0.99])
    >>> round(float(with_temperature(np.array([0.99]), T)[0, 1]), 3)
    0.75
    """
    labels, rows = checked_probabilities(y_true, y_prob, "fit_temperature")
    logits = _logits(rows)
    lead = logits - np.take_along_axis(logits, labels[:, None], axis=1)
    if lead.max() <= 0:
        return 1.0

    def slope(b: float) -> float:
        return float((_softmax(b * logits) * lead).sum(axis=1).mean())

    low, high = np.log(1 / HOTTEST), np.log(1 / COOLEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(np.exp(middle)) <= 0 else (low, middle)
    return float(np.exp(-(low + high) / 2))


def with_temperature(y_prob: ArrayLike, temperature: float) -> np.ndarray:
    """
    softmax(z / T) of the logits z, from their probabilities p = softmax(z): p^(1/T) / Σ p^(1/T), float64 (N,C).

    The order of the classes, and so the accuracy, stays as it is.

    Examples
    --------
    >>> with_temperature([[0.9, 0.1]], 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    number("with_temperature", "temperature", temperature, "(0, inf)")
    size = len(np.atleast_1d(np.asarray(y_prob)))
    _, rows = checked_probabilities(np.zeros(size, np.int64), y_prob, "with_temperature")
    return _softmax(_logits(rows) / temperature)


def _logits(rows: np.ndarray) -> np.ndarray:
    """log p in float64; 0 counts as the least normal number of its type."""
    return np.log(np.maximum(rows, np.finfo(rows.dtype).tiny).astype(np.float64))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
