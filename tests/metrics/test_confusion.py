"""Confusion matrix, precision, recall and F1 score against scikit-learn."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import binary, in_batches, scored
from sklearn import metrics as sklearn_metrics

from minicnn import metrics
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.utils import to_categorical

AVERAGES = st.sampled_from([None, "micro", "macro", "weighted"])
FIGURES = [
    (metrics.Precision, sklearn_metrics.precision_score, {"top_k": 1}),
    (metrics.Recall, sklearn_metrics.recall_score, {"top_k": 1}),
    (metrics.F1Score, sklearn_metrics.f1_score, {}),
]
each_figure = pytest.mark.parametrize(("kind", "expected", "chosen"), FIGURES, ids=["precision", "recall", "f1"])


def equal(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@given(scored())
def test_confusion_matrix(samples):
    labels, scores, weights = samples
    classes = scores.shape[1]
    found = scores.argmax(1)
    counts = in_batches(metrics.ConfusionMatrix(classes), labels, scores)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, sklearn_metrics.confusion_matrix(labels, found, labels=range(classes)))
    np.testing.assert_array_equal(counts, metrics.ConfusionMatrix(classes)(to_categorical(labels, classes), found))
    weighted = sklearn_metrics.confusion_matrix(labels, found, labels=range(classes), sample_weight=weights)
    equal(in_batches(metrics.ConfusionMatrix(classes), labels, scores, weights), weighted)


@each_figure
@given(samples=scored(), average=AVERAGES)
def test_one_class_a_sample(kind, expected, chosen, samples, average):
    labels, scores, weights = samples
    classes = scores.shape[1]
    options = {"average": average, "labels": range(classes), "zero_division": 0}
    one_hot = to_categorical(labels, classes)
    for w in (None, weights):
        truth = expected(labels, scores.argmax(1), sample_weight=w, **options)
        equal(in_batches(kind(average=average, **chosen), one_hot, scores, w), truth)
        equal(in_batches(kind(average=average, **chosen), labels, scores, w), truth)


@each_figure
@given(seed=st.integers(0, 1000), average=AVERAGES)
def test_several_classes_a_sample(kind, expected, chosen, seed, average):
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(0, 2, (20, 4)), rng.random((20, 4))
    limit: dict[str, Any] = {"threshold": 0.5} if kind is metrics.F1Score else {}
    truth = expected(labels, scores > 0.5, average=average, zero_division=0)
    equal(in_batches(kind(average=average, **limit), labels, scores), truth)


@each_figure
@given(samples=binary())
def test_one_column(kind, expected, chosen, samples):
    labels, scores, weights = samples
    threshold = float(np.median(scores))
    limit: dict[str, Any] = {"threshold" if kind is metrics.F1Score else "thresholds": threshold}
    made = kind(average="micro", **limit)
    truth = expected(labels, scores > threshold, sample_weight=weights, zero_division=0)
    equal(in_batches(made, labels[:, None], scores[:, None], weights), truth)


def test_keras_defaults():
    """Precision and recall count every score above 0.5 of every column; F1 gives one figure a class."""
    labels, scores = np.array([[1, 0], [0, 1], [0, 1]]), np.array([[0.6, 0.7], [0.1, 0.9], [0.3, 0.2]])
    assert metrics.Precision()(labels, scores) == pytest.approx(2 / 3)
    assert metrics.Recall()(labels, scores) == pytest.approx(2 / 3)
    assert metrics.Precision(class_id=1)(labels, scores) == 0.5
    assert metrics.Precision(top_k=1)(labels, scores) == pytest.approx(1 / 3)
    assert metrics.Precision(top_k=1, thresholds=0.65)(labels, scores) == 0.5
    np.testing.assert_allclose(metrics.F1Score()(labels, scores), [0.0, 0.5])
    assert metrics.F1Score(average="macro")([1, 0, 1], [0.9, 0.2, 0.4]) == pytest.approx(2 / 3)


@each_figure
def test_nothing_seen_or_found_is_zero(kind, expected, chosen):
    for average in ("micro", "macro", "weighted"):
        assert kind(average=average).result() == 0.0
        assert kind(average=average)(np.zeros((3, 2)), np.zeros((3, 2))) == 0.0


@given(scored())
def test_classification_report(samples):
    labels, scores, _ = samples
    names = [f"class {i}" for i in range(scores.shape[1])]
    found = metrics.classification_report(labels, scores, names)
    expected = sklearn_metrics.precision_recall_fscore_support(
        labels, scores.argmax(1), labels=range(len(names)), zero_division=cast(str, 0)
    )
    for key, truth in zip(("precision", "recall", "f1", "support"), expected):
        equal([found[name][key] for name in names], truth)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.Precision(average="all"), ArgumentError, "average"),
        (lambda: metrics.Precision(top_k=0), ArgumentError, "top_k"),
        (lambda: metrics.Precision(class_id=2)([[1, 0]], [[0.9, 0.1]]), ArgumentError, "class_id"),
        (lambda: metrics.ConfusionMatrix(1), ArgumentError, "num_classes"),
        (lambda: metrics.ConfusionMatrix(3)([3], [0]), DataError, "0 .. 2"),
        (lambda: metrics.ConfusionMatrix(2)([-1], [0]), DataError, "0 .. 1"),
        (lambda: metrics.ConfusionMatrix(2)([0.0, 1.0, 2.0], [0, 1, 1]), DataError, "0 .. 1"),
        (lambda: metrics.ConfusionMatrix(2)([0], [[np.nan, 1]]), DataError, "1 of the scores are NaN"),
        (lambda: metrics.ConfusionMatrix(2)([0, 0], [np.nan, 0.2]), DataError, "1 of the scores are NaN"),
        (lambda: metrics.ConfusionMatrix(3)([0, 1], [0]), ShapeError, "2 targets and 1 outputs"),
        (lambda: metrics.ConfusionMatrix(3)([0], [[0.1, 0.9]]), ShapeError, "rows of 3"),
        (lambda: metrics.classification_report([0], [1], ["cat", "cat"]), ArgumentError, "different"),
        (lambda: metrics.F1Score()([[1, 0, 0]], [[0.2, 0.8]]), ShapeError, "f1_score"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_batches_must_have_the_same_classes():
    made = metrics.F1Score()
    made.update_state([0, 1], [[0.2, 0.8], [0.4, 0.6]])
    with pytest.raises(ShapeError, match="3 classes, those before 2"):
        made.update_state([0], [[0.2, 0.8, 0.0]])


def test_unsigned_scores():
    assert metrics.Precision(top_k=1)([0], np.array([[9, 0]], np.uint8)) == 1.0


def test_whole_floats_are_class_numbers_and_others_scores():
    for found in ([0.0, 1.0], [0.2, 0.9], [[0.2], [0.9]]):
        np.testing.assert_array_equal(metrics.ConfusionMatrix(2)([0.0, 1.0], found), np.eye(2))


def test_nan_is_a_miss():
    nan = np.nan
    for chosen in (metrics.F1Score("micro"), metrics.Recall(top_k=1)):
        assert chosen([0, 0], [[nan, 0.2], [nan, nan]]) == 0.0
