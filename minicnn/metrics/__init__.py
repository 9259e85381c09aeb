"""Metrics: figures of merit that grow batch by batch, with Keras' names; and functions of all samples at once.

The functions have scikit-learn's names where it has such a function; the values of both are scikit-learn's.
"""

from collections.abc import Callable
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.metrics.accuracy import (
    Accuracy,
    AutoAccuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from minicnn.metrics.auc import AUC
from minicnn.metrics.calibration import (
    Reliability,
    expected_calibration_error,
    fit_temperature,
    reliability_diagram,
    with_temperature,
)
from minicnn.metrics.class_scores import classification_report
from minicnn.metrics.confusion import ConfusionMatrix, F1Score, Precision, Recall
from minicnn.metrics.curves import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve
from minicnn.metrics.decisions import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_f1,
)
from minicnn.metrics.metric import Mean, MeanOf, Metric
from minicnn.metrics.probabilities import brier_score_loss, log_loss, top_k_accuracy_score
from minicnn.metrics.regression import MeanAbsoluteError, MeanSquaredError

__all__ = [
    "AUC",
    "Accuracy",
    "AutoAccuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "ConfusionMatrix",
    "F1Score",
    "Mean",
    "MeanAbsoluteError",
    "MeanOf",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "Reliability",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy_score",
    "average_precision_score",
    "balanced_accuracy_score",
    "brier_score_loss",
    "classification_report",
    "cohen_kappa_score",
    "confusion_matrix",
    "expected_calibration_error",
    "fit_temperature",
    "get",
    "log_loss",
    "matthews_corrcoef",
    "precision_recall_curve",
    "precision_recall_f1",
    "reliability_diagram",
    "roc_auc_score",
    "roc_curve",
    "top_k_accuracy_score",
    "with_temperature",
]

NAMES: dict[str, type[Metric]] = {
    "accuracy": AutoAccuracy,
    "acc": AutoAccuracy,
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "precision": Precision,
    "recall": Recall,
    "f1_score": F1Score,
    "auc": AUC,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
}


def get(identifier: str | Metric | Callable[..., Any]) -> Metric:
    """A metric from its name, which it keeps; from a function of (y_true, y_pred), averaged; or as it is.

    Class names do as well: "AUC", "BinaryAccuracy".

    Raises
    ------
    ArgumentError
        There is no metric of that name.

    Examples
    --------
    >>> from minicnn import metrics
    >>> metrics.get("mse").name
    'mse'
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        kind = NAMES.get(identifier) or next((k for k in NAMES.values() if k.__name__ == identifier), None)
        if kind is not None:
            return kind(name=identifier)
    elif callable(identifier):
        return MeanOf(identifier, getattr(identifier, "__name__", "metric"))
    raise ArgumentError(f"there is no metric {identifier!r}; there are {', '.join(NAMES)}")
