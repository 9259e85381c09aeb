"""Accuracies against scikit-learn, and the choice that "accuracy" makes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import binary, in_batches, scored
from sklearn import metrics as sklearn_metrics

from minicnn import metrics
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.utils import to_categorical


def exact(value):
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@given(scored())
def test_categorical_and_sparse_accuracy(samples):
    labels, scores, weights = samples
    one_hot = to_categorical(labels, scores.shape[1])
    for w in (None, weights):
        expected = exact(sklearn_metrics.accuracy_score(labels, scores.argmax(1), sample_weight=w))
        assert in_batches(metrics.CategoricalAccuracy(), one_hot, scores, w) == expected
        assert in_batches(metrics.SparseCategoricalAccuracy(), labels, scores, w) == expected
        assert in_batches(metrics.SparseCategoricalAccuracy(), labels[:, None], scores, w) == expected
        assert in_batches(metrics.get("accuracy"), one_hot, scores, w) == expected
        assert in_batches(metrics.get("acc"), labels, scores, w) == expected
        assert in_batches(metrics.get("accuracy"), labels[:, None], scores, w) == expected


@given(scored(least_classes=3), st.integers(1, 4))
def test_top_k_accuracy(samples, k):
    labels, scores, weights = samples
    classes = scores.shape[1]
    expected = exact(
        sklearn_metrics.top_k_accuracy_score(
            labels, scores, k=min(k, classes - 1), sample_weight=weights, labels=range(classes)
        )
    )
    k = min(k, classes - 1)
    one_hot = to_categorical(labels, classes)
    assert in_batches(metrics.TopKCategoricalAccuracy(k), one_hot, scores, weights) == expected
    assert in_batches(metrics.SparseTopKCategoricalAccuracy(k), labels, scores, weights) == expected
    assert in_batches(metrics.SparseTopKCategoricalAccuracy(classes), labels, scores) == 1.0


@given(binary(), st.sampled_from([0.001, 0.5]))
def test_binary_accuracy(samples, threshold):
    labels, scores, weights = samples
    expected = exact(sklearn_metrics.accuracy_score(labels, scores > threshold, sample_weight=weights))
    for y_true, y_pred in [(labels, scores), (labels[:, None], scores[:, None]), (labels, scores[:, None])]:
        assert in_batches(metrics.BinaryAccuracy(threshold=threshold), y_true, y_pred, weights) == expected
        if threshold == 0.5:
            assert in_batches(metrics.get("accuracy"), y_true, y_pred, weights) == expected


def test_binary_accuracy_of_several_columns_is_the_mean_over_elements():
    y_true, y_pred = np.array([[1, 0, 1], [0, 0, 1]]), np.array([[0.9, 0.9, 0.1], [0.1, 0.1, 0.9]])
    assert metrics.BinaryAccuracy()(y_true, y_pred) == pytest.approx(4 / 6)
    assert metrics.BinaryAccuracy()(y_true, y_pred, [3, 1]) == pytest.approx((3 * 1 + 3) / (3 * 3 + 3))


def test_dense_labels_of_images():
    labels, scores = np.array([[[0, 1], [1, 1]]]), np.zeros((1, 2, 2, 2))
    scores[..., 1] = [[-1, 1], [-1, 1]]
    assert metrics.get("accuracy")(labels, scores) == 0.75
    assert metrics.get("accuracy")(labels[..., None], scores) == 0.75
    assert metrics.get("accuracy")(to_categorical(labels), scores, [2.0]) == 0.75


def test_ties_at_the_last_place_are_found_and_nan_is_not():
    assert metrics.SparseTopKCategoricalAccuracy(1)([2], [[0.5, 0.1, 0.5]]) == 1.0
    assert metrics.SparseTopKCategoricalAccuracy(3)([2], [[0.5, 0.1, np.nan]]) == 0.0


def test_label_equality():
    assert metrics.Accuracy()([[1], [2], [3]], [1, 2, 4]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "error"),
    [
        ("categorical_accuracy", [0, 1], [[0.1, 0.9], [0.2, 0.8]], ShapeError),
        ("sparse_categorical_accuracy", [[1, 0]], [[0.1, 0.9]], ShapeError),
        ("sparse_categorical_accuracy", [2], [[0.1, 0.9]], DataError),
        ("sparse_categorical_accuracy", [-1], [[0.1, 0.9]], DataError),
        ("sparse_top_k_categorical_accuracy", [2], [[0.1, 0.9]], DataError),
        ("sparse_categorical_accuracy", [0.5], [[0.1, 0.9]], DataError),
        ("binary_accuracy", [1, 0, 1], [0.1, 0.9], ShapeError),
    ],
)
def test_targets_that_do_not_fit_are_refused_and_not_counted(metric, y_true, y_pred, error):
    made = metrics.get(metric)
    with pytest.raises(error, match=metric):
        made.update_state(y_true, y_pred)
    assert made.result() == 0.0


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="sample_weight"):
        metrics.BinaryAccuracy()([1, 0], [0.1, 0.9], [1, 2, 3])


def test_k_must_be_positive():
    with pytest.raises(ArgumentError, match="k must be"):
        metrics.TopKCategoricalAccuracy(k=0)


def test_nan_is_no_class():
    nan = np.nan
    for labels, outputs in (([0], [[nan, nan]]), ([0], [[nan, 0.2]]), ([1], [[nan, 0.2]])):
        assert metrics.SparseCategoricalAccuracy()(labels, outputs) == 0
        assert metrics.CategoricalAccuracy()(to_categorical(labels, 2), outputs) == 0
        assert metrics.get("accuracy")(labels, outputs) == 0
    assert metrics.BinaryAccuracy()([0, 0, 1], [nan, 0.2, nan]) == pytest.approx(1 / 3)
