"""Precision, recall and F1 score of each class by name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from minicnn.errors import ArgumentError
from minicnn.metrics.confusion import ConfusionMatrix, ratio


@dataclass(frozen=True)
class ClassScore:
    """precision = TP / (TP + FP), recall = TP / (TP + FN), f1 = their harmonic mean; 0 where undefined."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def class_scores(confusion: np.ndarray, class_names: Sequence[str]) -> list[ClassScore]:
    """
    Precision, recall, F1 and support of every class.

    Parameters
    ----------
    confusion : array (C,C)
        Counts; row = true class, column = predicted class.

    Examples
    --------
    >>> class_scores(np.array([[3, 1], [0, 4]]), ["cat", "dog"])[0]
    ClassScore(name='cat', precision=1.0, recall=0.75, f1=0.8571428571428571, support=4)
    """
    confusion = np.asarray(confusion)
    hits, true, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    figures = ratio(hits, predicted), ratio(hits, true), ratio(2 * hits, true + predicted)
    return [
        ClassScore(name, float(p), float(r), float(f), int(support))
        for name, p, r, f, support in zip(class_names, *figures, true)
    ]


def classification_report(
    y_true: ArrayLike, y_pred: ArrayLike, class_names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """{class name: {"precision", "recall", "f1", "support"}}; support is the number of samples of the class.

    Parameters
    ----------
    y_true, y_pred : class numbers (N,) or rows (N,C); one score does for two classes
    class_names : C names, all different

    Raises
    ------
    ArgumentError, DataError, ShapeError
        Names that are not all different; class numbers without a name; arrays that do not fit.

    Examples
    --------
    >>> classification_report([0, 1, 1], [0, 0, 1], ["cat", "dog"])["dog"]
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666, 'support': 2}
    """
    names = list(class_names)
    if len(set(names)) != len(names):
        raise ArgumentError(f"classification_report: class names must be different; they are {names}")
    matrix = ConfusionMatrix(len(names), "classification_report")(y_true, y_pred)
    fields = ("precision", "recall", "f1", "support")
    return {score.name: {field: getattr(score, field) for field in fields} for score in class_scores(matrix, names)}
