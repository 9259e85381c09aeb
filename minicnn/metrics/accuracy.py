"""Accuracies: the share of samples whose class was found.  Names, arguments and rules are Keras 3's.

Outputs y_pred (N,...,C) are scores; probabilities and logits do equally well.  Targets are one-hot rows (N,...,C)
or, for the metrics with "sparse" in their name, class numbers (N,...) or (N,...,1).
"""

from functools import partial

import numpy as np

from minicnn.arguments import number
from minicnn.metrics.labels import highest, same_shape, sparse_classes
from minicnn.metrics.metric import MeanOf


class Accuracy(MeanOf):
    """The share of elements of y_pred that equal y_true; both are class numbers.

    Examples
    --------
    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    direction = "up"

    def __init__(self, name: str = "accuracy"):
        super().__init__(equal_elements, name)


class BinaryAccuracy(MeanOf):
    """The share of elements on the right side of the threshold; targets are 0 and 1.

    Examples
    --------
    >>> BinaryAccuracy()([1, 1, 0, 0], [0.98, 1, 0, 0.6])
    0.75
    """

    direction = "up"

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5):
        super().__init__(partial(binary_matches, threshold=threshold), name)


class CategoricalAccuracy(MeanOf):
    """The share of samples whose highest score is at the place of the target's 1.

    Examples
    --------
    >>> CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    direction = "up"

    def __init__(self, name: str = "categorical_accuracy"):
        super().__init__(categorical_matches, name)


class SparseCategoricalAccuracy(MeanOf):
    """CategoricalAccuracy with class numbers as targets.

    Examples
    --------
    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy"):
        super().__init__(sparse_matches, name)


class TopKCategoricalAccuracy(MeanOf):
    """The share of samples whose class is among the k highest scores; a tie at the k-th place counts as found.

    Examples
    --------
    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    1.0
    """

    direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy"):
        number(name, "k", k, "[1, inf)")
        super().__init__(partial(top_k_matches, k=k), name)


class SparseTopKCategoricalAccuracy(MeanOf):
    """TopKCategoricalAccuracy with class numbers as targets.

    Examples
    --------
    >>> SparseTopKCategoricalAccuracy(k=2)([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    1.0
    """

    direction = "up"

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy"):
        number(name, "k", k, "[1, inf)")
        super().__init__(partial(sparse_top_k_matches, k=k), name)


class AutoAccuracy(MeanOf):
    """What the string "accuracy" means: binary, sparse or categorical accuracy, by the shapes of the batch.

    One output column is binary; targets with fewer columns than the outputs are class numbers.

    Examples
    --------
    >>> AutoAccuracy()([0, 2], [[0.7, 0.2, 0.1], [0.3, 0.4, 0.3]])
    0.5
    """

    direction = "up"

    def __init__(self, name: str = "accuracy"):
        super().__init__(matches_by_shape, name)


def equal_elements(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """y_true = y_pred."""
    return np.equal(*same_shape(y_true, y_pred, "accuracy"))


def binary_matches(y_true: np.ndarray, y_pred: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """[y_pred > threshold] = y_true.  NaN is on neither side."""
    y_true, y_pred = same_shape(y_true, y_pred, "binary_accuracy")
    return ((y_pred > threshold) == y_true) & ~np.isnan(y_pred)


def categorical_matches(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """argmax y_pred = argmax y_true."""
    y_true, y_pred = same_shape(y_true, y_pred, "categorical_accuracy")
    return y_true.argmax(-1) == highest(y_pred)


def sparse_matches(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """argmax y_pred = y_true."""
    return sparse_classes(y_true, y_pred, "sparse_categorical_accuracy") == highest(y_pred)


def top_k_matches(y_true: np.ndarray, y_pred: np.ndarray, k: int) -> np.ndarray:
    """`sparse_top_k_matches` of the place of each row's 1."""
    y_true, y_pred = same_shape(y_true, y_pred, "top_k_categorical_accuracy")
    return sparse_top_k_matches(y_true.argmax(-1), y_pred, k)


def sparse_top_k_matches(y_true: np.ndarray, y_pred: np.ndarray, k: int) -> np.ndarray:
    """Fewer than k classes score higher than the true one.  A true class that scores NaN is not found."""
    classes = sparse_classes(y_true, y_pred, "sparse_top_k_categorical_accuracy")
    own = np.take_along_axis(y_pred, classes[..., None], -1)
    return ((y_pred > own).sum(-1) < k) & ~np.isnan(own[..., 0])


def matches_by_shape(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """The matches of the accuracy that fits the shapes."""
    if y_pred.ndim < 2 or y_pred.shape[-1] == 1:
        return binary_matches(y_true, y_pred)
    if y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1:
        return sparse_matches(y_true, y_pred)
    return categorical_matches(y_true, y_pred)
