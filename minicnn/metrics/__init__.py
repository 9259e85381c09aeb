"""Metrics: figures of merit that grow batch by batch.  Names are Keras', values scikit-learn's."""

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
from minicnn.metrics.class_scores import classification_report
from minicnn.metrics.confusion import ConfusionMatrix, F1Score, Precision, Recall
from minicnn.metrics.metric import Mean, MeanOf, Metric
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
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "classification_report",
    "get",
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
