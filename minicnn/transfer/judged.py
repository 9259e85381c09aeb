"""The pictures that were kept aside, and what the model made of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minicnn.metrics import (
    average_precision_score,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    roc_auc_score,
)


@dataclass(frozen=True)
class Judged:
    """
    N validation pictures.

    Attributes
    ----------
    names : sequence of N
        What each picture is called: its file from the folder on.
    labels : int (N,)
    probabilities : float (N,C)
        Of the finished model.
    features : float (N,D)
        As the frozen base gives them.
    hashes : sequence of N, or empty
        Of each picture's bytes, by which runs know that they judged the same one.
    """

    names: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray
    features: np.ndarray
    hashes: Sequence[str] = ()

    def figures(self) -> dict[str, float]:
        """What the probabilities are worth, not the answers alone."""
        return {
            "log_loss": float(log_loss(self.labels, self.probabilities)),
            "calibration_error": expected_calibration_error(self.labels, self.probabilities),
            "temperature": fit_temperature(self.labels, self.probabilities),
        }

    def areas(self) -> list[dict[str, float | None]]:
        """Areas under the curves of each class against the rest; None where it has no picture here, or all of them."""
        found = []
        for number, scores in enumerate(self.probabilities.T):
            truth = (self.labels == number).astype(np.int64)
            known = 0 < truth.sum() < len(truth)
            areas = {"roc_auc": roc_auc_score, "average_precision": average_precision_score}
            found.append({name: float(area(truth, scores)) if known else None for name, area in areas.items()})
        return found
