"""AUC: the area under the ROC curve, or under the precision-recall curve, exactly."""

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import one_of
from minicnn.metrics.confusion import ratio
from minicnn.metrics.labels import one_hot_rows
from minicnn.metrics.metric import Metric, sample_weights


class AUC(Metric):
    """The area under a curve that is traced as the threshold falls from the highest score to the lowest.

    "ROC": true positive rate over false positive rate, by trapezoids.  It is the probability that a positive sample
    scores higher than a negative one; NaN when one of the two kinds is missing.
    "PR": precision over recall, by steps Σ (Rₙ - Rₙ₋₁) Pₙ, the average precision; 0 without a positive sample.

    Every score is kept until the reset and sorted in `result`, so the areas are exact, where Keras sorts scores into
    `num_thresholds` bins.  They equal scikit-learn's roc_auc_score and average_precision_score.

    Parameters
    ----------
    curve : "ROC" or "PR"
    multi_label : with several columns, the mean of the areas of the columns; else all elements make one curve

    Source: Fawcett, "An introduction to ROC analysis", 2006, algorithms 1 and 2.

    Examples
    --------
    >>> AUC()([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.75
    """

    direction = "up"

    def __init__(self, curve: str = "ROC", name: str = "auc", multi_label: bool = False):
        self.curve = one_of(name, "curve", curve, ("ROC", "PR"))
        self.multi_label = multi_label
        super().__init__(name)

    def reset_state(self) -> None:
        self.batches: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        true, scores = one_hot_rows(np.asarray(y_true), np.asarray(y_pred), self.name)
        weights = sample_weights(sample_weight, true[..., 0], self.name)[..., None]
        columns = true.shape[-1] if self.multi_label else 1
        batch = (true, scores.copy(), np.broadcast_to(weights, true.shape))
        if true.size:
            self.batches.append(tuple(array.reshape(-1, columns) for array in batch))  # pyright: ignore

    def result(self) -> float:
        if not self.batches:
            return 0.0
        true, scores, weights = (np.concatenate(arrays) for arrays in zip(*self.batches))
        areas = [self._area(*column) for column in zip(true.T, scores.T, weights.T)]
        return float(np.mean(areas))

    def _area(self, true: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
        if np.isnan(scores).any():
            return float("nan")
        positives, negatives, _ = curve_points(true, scores, weights)
        if self.curve == "PR":
            steps = np.diff(positives) * ratio(positives, positives + negatives)[1:]
            return float(ratio(steps.sum(), positives[-1]))
        if not (positives[-1] and negatives[-1]):
            return float("nan")
        area = np.sum(np.diff(negatives) * (positives[1:] + positives[:-1]) / 2)
        return float(area / (positives[-1] * negatives[-1]))


def curve_points(
    true: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight of the positive and of the negative samples at or above each threshold, from none to all; the thresholds.

    The first threshold, which no score reaches, is infinite.
    """
    order = np.argsort(-scores, kind="stable")
    scores, true, weights = scores[order], true[order], weights[order]
    last_of_its_score = np.append(scores[1:] != scores[:-1], True)
    sums = (np.cumsum(weights * kind)[last_of_its_score] for kind in (true, ~true))
    positives, negatives = (np.append(0.0, total) for total in sums)
    return positives, negatives, np.append(np.inf, scores[last_of_its_score])
