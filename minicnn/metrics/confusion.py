"""Which classes are taken for which: the confusion matrix, and the precision, recall and F1 score of each class.

With tp the samples of a class that were found, predicted those put into it and actual those that belong to it:

    precision = tp / predicted      recall = tp / actual      F1 = 2 tp / (predicted + actual)

A quotient 0 / 0 counts as 0.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import number, one_of
from minicnn.errors import ShapeError
from minicnn.metrics.labels import highest, one_hot_rows, to_classes
from minicnn.metrics.metric import Metric, sample_weights

AVERAGES = (None, "micro", "macro", "weighted")


class ConfusionMatrix(Metric):
    """Element (i,j) counts the samples of class i that were taken for class j.

    Targets and outputs are class numbers (N,) or rows (N,C); one score (N,) or (N,1) does for two classes.
    Counts are whole numbers, unless samples are weighted.  NaN among the outputs is refused: a row without a class has
    no place in the table.

    Examples
    --------
    >>> ConfusionMatrix(3)([0, 1, 2, 2], [0, 1, 1, 2])
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """

    def __init__(self, num_classes: int, name: str = "confusion_matrix"):
        self.num_classes = int(number(name, "num_classes", num_classes, "[2, inf)"))
        super().__init__(name)

    def reset_state(self) -> None:
        self.counts = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        true, found = (to_classes(np.asarray(y), self.num_classes, self.name) for y in (y_true, y_pred))
        if true.shape != found.shape:
            raise ShapeError(f"{self.name}: there are {len(true)} targets and {len(found)} outputs")
        weights = None
        if sample_weight is not None:
            weights = np.broadcast_to(sample_weights(sample_weight, true, self.name), true.shape)
        cells = np.bincount(true * self.num_classes + found, weights, self.num_classes**2)
        self.counts = self.counts + cells.reshape(self.counts.shape)

    def result(self) -> np.ndarray:
        return self.counts.copy()


class ClassCounts(Metric):
    """Base of precision, recall and F1 score: tp, predicted and actual of each class.

    Scores y_pred are (N,...,C), or (N,) for one class; targets are rows of 0 and 1, or class numbers.  A score of NaN
    chooses no class.
    """

    direction = "up"

    def __init__(self, average: str | None, name: str):
        self.average = one_of(name, "average", average, AVERAGES)
        super().__init__(name)

    def reset_state(self) -> None:
        self.counts: np.ndarray | None = None  # (3,C): tp, predicted, actual

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        true, scores = one_hot_rows(np.asarray(y_true), np.asarray(y_pred), self.name)
        found = self.decide(scores)
        weights = sample_weights(sample_weight, true[..., 0], self.name)[..., None]
        axes = tuple(range(true.ndim - 1))
        counts = np.stack([np.sum(weights * hits, axes) for hits in (true & found, found, true)])
        if self.counts is not None and self.counts.shape != counts.shape:
            raise ShapeError(
                f"{self.name}: the batch has {counts.shape[1]} classes, those before {self.counts.shape[1]}"
            )
        self.counts = counts if self.counts is None else self.counts + counts

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Which classes each sample is put into, (N,...,C) of bool."""
        raise NotImplementedError

    def quotient(self, counts: np.ndarray) -> np.ndarray:
        """The figure of counts (3,...)."""
        raise NotImplementedError

    def result(self) -> Any:
        """A float, or one for each class when `average` is None."""
        counts = np.zeros((3, 1)) if self.counts is None else self.counts
        if self.average is None:
            return self.quotient(counts)
        if self.average == "micro":
            return float(self.quotient(counts.sum(1)))
        weights = counts[2] if self.average == "weighted" else np.ones(counts.shape[1])
        return float(ratio(np.sum(weights * self.quotient(counts)), weights.sum()))


class _Thresholded(ClassCounts):
    """What precision and recall share: a class is chosen by its score, and perhaps by its rank."""

    def __init__(
        self, thresholds: float | None, top_k: int | None, class_id: int | None, name: str, average: str | None
    ):
        self.top_k = None if top_k is None else int(number(name, "top_k", top_k, "[1, inf)"))
        self.thresholds = thresholds if thresholds is not None else 0.5 if top_k is None else -np.inf
        self.class_id = class_id
        super().__init__(average, name)

    def decide(self, scores: np.ndarray) -> np.ndarray:
        chosen = scores > self.thresholds
        if self.top_k is not None:
            ranks = np.argsort(np.argsort(-scores, -1, kind="stable"), -1)
            chosen &= ranks < self.top_k
        return chosen

    def result(self) -> Any:
        if self.class_id is None or self.counts is None:
            return super().result()
        column = int(number(self.name, "class_id", self.class_id, f"[0, {self.counts.shape[1]})"))
        return float(self.quotient(self.counts[:, column]))


class Precision(_Thresholded):
    """tp / predicted: of what was put into a class, the share that belongs there.

    Parameters
    ----------
    thresholds : a class is chosen when its score is higher; 0.5 when None, no limit when top_k is given
    top_k : choose only the k classes of highest score; top_k=1 is the usual choice of one class
    class_id : look at this class alone
    average : "micro" adds up the counts of all classes first, "macro" takes the mean over classes, "weighted" weights
        it by how often a class occurs, None gives one figure for each class

    Examples
    --------
    >>> Precision()([0, 1, 1, 1], [1, 0, 1, 1])
    0.6666666666666666
    >>> Precision(top_k=1, average=None)([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    array([0.5, 1. ])
    """

    def __init__(
        self,
        thresholds: float | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str = "precision",
        average: str | None = "micro",
    ):
        super().__init__(thresholds, top_k, class_id, name, average)

    def quotient(self, counts: np.ndarray) -> np.ndarray:
        return ratio(counts[0], counts[1])


class Recall(_Thresholded):
    """tp / actual: of what belongs to a class, the share that was found.

    Parameters
    ----------
    thresholds, top_k, class_id, average : see `Precision`

    Examples
    --------
    >>> Recall()([0, 1, 1, 1], [1, 0, 1, 1])
    0.6666666666666666
    """

    def __init__(
        self,
        thresholds: float | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str = "recall",
        average: str | None = "micro",
    ):
        super().__init__(thresholds, top_k, class_id, name, average)

    def quotient(self, counts: np.ndarray) -> np.ndarray:
        return ratio(counts[0], counts[2])


class F1Score(ClassCounts):
    """2 tp / (predicted + actual), the harmonic mean of precision and recall.

    Parameters
    ----------
    average : see `Precision`
    threshold : classes with a higher score are chosen; None chooses the one class of highest score, and a single
        column above 0.5

    Examples
    --------
    >>> F1Score(average="macro")([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    0.6666666666666666
    """

    def __init__(self, average: str | None = None, threshold: float | None = None, name: str = "f1_score"):
        self.threshold = threshold
        super().__init__(average, name)

    def decide(self, scores: np.ndarray) -> np.ndarray:
        if self.threshold is None and scores.shape[-1] > 1:
            return highest(scores)[..., None] == np.arange(scores.shape[-1])
        return scores > (0.5 if self.threshold is None else self.threshold)

    def quotient(self, counts: np.ndarray) -> np.ndarray:
        return ratio(2 * counts[0], counts[1] + counts[2])


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> np.ndarray:
    """numerator / denominator in float64, 0 where the denominator is 0."""
    numerator, denominator = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    return np.divide(numerator, denominator, out=np.zeros(denominator.shape), where=denominator != 0)
