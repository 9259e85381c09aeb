"""Functions of all samples at once against scikit-learn: random cases, classes that are absent, ties, one sample."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from minicnn import metrics
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.utils import to_categorical


@st.composite
def cases(draw):
    """Class numbers (N,) of which some may never occur, and probabilities (N,C) with ties or without."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, classes = draw(st.integers(1, 30)), draw(st.integers(2, 5))
    labels = rng.choice(rng.permutation(classes)[: draw(st.integers(1, classes))], n)
    rows = rng.integers(0, 3, (n, classes)) + 0.25 if draw(st.booleans()) else rng.dirichlet(np.ones(classes) / 3, n)
    return labels, rows / rows.sum(1, keepdims=True)


def equal(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def quiet(function, *arguments, **options):
    """What scikit-learn says, without its warnings of cases that it calls undefined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


@given(cases())
def test_figures_of_decisions(case):
    labels, rows = case
    found = rows.argmax(1)
    for name in ("accuracy_score", "balanced_accuracy_score", "cohen_kappa_score", "matthews_corrcoef"):
        expected = quiet(getattr(sklearn_metrics, name), labels, found)
        for given_rows in (found, rows):
            equal(getattr(metrics, name)(labels, given_rows), expected)


@given(cases(), st.sampled_from([None, "micro", "macro", "weighted"]))
def test_precision_recall_and_f1(case, average):
    labels, rows = case
    found, classes = rows.argmax(1), rows.shape[1]
    options = {"average": average, "zero_division": 0}
    reference = sklearn_metrics.precision_recall_fscore_support
    expected = quiet(reference, labels, found, labels=range(classes), **options)[:3]
    equal(metrics.precision_recall_f1(labels, found, average, classes), expected)
    if average is not None:
        equal(metrics.precision_recall_f1(labels, found, average), quiet(reference, labels, found, **options)[:3])
    expected = quiet(sklearn_metrics.confusion_matrix, labels, found, labels=range(classes))
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, rows), expected)


def test_classes_that_occur_nowhere_have_no_part_in_a_mean_unless_they_are_asked_for():
    assert metrics.precision_recall_f1([0, 3], [0, 3], "macro") == (1.0, 1.0, 1.0)
    assert metrics.precision_recall_f1([0, 3], [0, 3], "macro", 5) == (0.4, 0.4, 0.4)


@given(cases(), st.integers(1, 6))
def test_figures_of_probabilities(case, k):
    labels, rows = case
    known = range(rows.shape[1])
    equal(metrics.log_loss(labels, rows), quiet(sklearn_metrics.log_loss, labels, rows, labels=known))
    equal(metrics.brier_score_loss(labels, rows), quiet(sklearn_metrics.brier_score_loss, labels, rows, labels=known))
    if rows.shape[1] > 2:
        expected = quiet(sklearn_metrics.top_k_accuracy_score, labels, rows, k=k, labels=known)
        equal(metrics.top_k_accuracy_score(labels, rows, k), expected)


@given(cases())
def test_the_probability_of_the_second_of_two_classes(case):
    labels, second = (case[0] == case[0][0]).astype(int), case[1][:, 0]
    for given_rows in (second, second[:, None], np.stack([1 - second, second], 1)):
        equal(metrics.log_loss(labels, given_rows), quiet(sklearn_metrics.log_loss, labels, second, labels=[0, 1]))
        expected = quiet(sklearn_metrics.brier_score_loss, labels, second, labels=[0, 1], pos_label=1)
        equal(metrics.brier_score_loss(labels, given_rows), expected)


@given(cases())
def test_curves(case):
    labels, scores = (case[0] == case[0][0]).astype(int), case[1][:, 0]
    for truth in (labels, 1 - labels, np.zeros_like(labels)):
        for ours, theirs in zip(metrics.roc_curve(truth, scores), quiet(sklearn_metrics.roc_curve, truth, scores)):
            equal(ours, theirs)
        expected = quiet(sklearn_metrics.precision_recall_curve, truth, scores)
        for ours, theirs in zip(metrics.precision_recall_curve(truth, scores), expected):
            equal(ours, theirs)
        equal(metrics.roc_auc_score(truth, scores), quiet(sklearn_metrics.roc_auc_score, truth, scores))
        expected = quiet(sklearn_metrics.average_precision_score, truth, scores)
        equal(metrics.average_precision_score(truth, scores), expected)


@given(cases(), st.sampled_from([None, "micro", "macro", "weighted"]))
def test_areas_of_one_class_against_the_rest(case, average):
    labels, rows = case
    one_hot = to_categorical(labels, rows.shape[1])
    for name in ("roc_auc_score", "average_precision_score"):
        expected = quiet(getattr(sklearn_metrics, name), one_hot, rows, average=average)
        for truth in (labels, one_hot):
            equal(getattr(metrics, name)(truth, rows, average), expected)
    if rows.shape[1] > 2 and average != "micro":
        expected = quiet(
            sklearn_metrics.roc_auc_score, labels, rows, multi_class="ovr", labels=range(rows.shape[1]), average=average
        )
        equal(metrics.roc_auc_score(labels, rows, average), expected)


@given(cases(), st.integers(1, 20))
def test_reliability(case, bins):
    labels, rows = case
    diagram = metrics.reliability_diagram(labels, rows, bins)
    right, sure = rows.argmax(1) == labels, rows.max(1)
    accuracy, confidence = calibration_curve(right, sure, n_bins=bins)
    equal(diagram.accuracy[diagram.count > 0], accuracy)
    equal(diagram.confidence[diagram.count > 0], confidence)
    assert diagram.count.sum() == len(labels)
    gap = sum(
        abs(right[inside].sum() - sure[inside].sum())
        for low, high in zip(diagram.edges, diagram.edges[1:])
        if (inside := (sure > low) & (sure <= high)).any()
    )
    equal(metrics.expected_calibration_error(labels, rows, bins), gap / len(labels))


@given(cases())
def test_no_temperature_has_less_loss_than_the_one_that_is_fitted(case):
    labels, rows = case
    rows = 0.98 * rows + 0.02 / rows.shape[1]
    found = metrics.fit_temperature(labels, rows)
    if (rows[np.arange(len(labels)), labels] == rows.max(axis=1)).all():
        assert found == 1.0  # the loss has no least
        return
    least = metrics.log_loss(labels, metrics.with_temperature(rows, found))
    for other in (*np.geomspace(1e-2, 1e2, 9), found * 0.99, found * 1.01):
        if 1e-3 <= other <= 1e3:
            assert least <= metrics.log_loss(labels, metrics.with_temperature(rows, float(other))) + 1e-12


def test_temperature_is_that_of_the_logits_and_keeps_the_order():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 4))

    def softmax(z):
        return np.exp(z) / np.exp(z).sum(1, keepdims=True)

    equal(metrics.with_temperature(softmax(logits), 2.5), softmax(logits / 2.5))
    many = np.array([rng.choice(4, p=p) for p in softmax(np.repeat(logits, 200, 0))])
    sure = softmax(3 * np.repeat(logits, 200, 0))  # three times as sure as the labels were drawn
    assert metrics.fit_temperature(many, sure) == pytest.approx(3, rel=0.1)
    before, after = (metrics.expected_calibration_error(many, p) for p in (sure, metrics.with_temperature(sure, 3)))
    assert after < before / 5


def test_a_model_that_says_nothing_of_the_classes_keeps_its_temperature():
    assert metrics.fit_temperature([0, 1, 1], np.full((3, 4), 0.25)) == 1.0


def test_a_model_that_is_always_right_keeps_its_temperature_and_one_that_never_is_ends_at_the_hottest():
    assert metrics.fit_temperature([0, 1], [[0.9, 0.1], [0.2, 0.8]]) == 1.0
    assert metrics.fit_temperature([0, 1], [[0.9, 0.1], [0.5, 0.5]]) == 1.0
    assert metrics.fit_temperature([1, 0], [[0.9, 0.1], [0.2, 0.8]]) == pytest.approx(1e3)
    assert np.isfinite(metrics.with_temperature(np.float32([[1.0, 0.0]]), 5.0)).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy_score([], []), DataError, "no samples"),
        (lambda: metrics.accuracy_score([0, 10**7], [0, 1]), DataError, "10,000,000: number the classes from 0 on"),
        (lambda: metrics.accuracy_score([0, 1], [0]), ShapeError, "2 true classes and 1"),
        (lambda: metrics.accuracy_score([0.5], [0]), DataError, "whole numbers"),
        (lambda: metrics.confusion_matrix([0, -1], [0, 0]), DataError, "0 .. 0"),
        (lambda: metrics.confusion_matrix([0, 2], [0, 0], 2), DataError, "0 .. 1"),
        (lambda: metrics.confusion_matrix([0], [0], 0), ArgumentError, "num_classes"),
        (lambda: metrics.precision_recall_f1([0], [0], "all"), ArgumentError, "average"),
        (lambda: metrics.log_loss([0, 1], [[2.0, -1.0], [0.5, 0.5]]), DataError, "use a softmax"),
        (lambda: metrics.log_loss([0], [[0.5, 0.1]]), DataError, "sum to 1"),
        (lambda: metrics.log_loss([0], [[np.nan, 0.1]]), DataError, "NaN"),
        (lambda: metrics.log_loss([2], [[0.5, 0.5]]), DataError, "0 .. 1"),
        (lambda: metrics.brier_score_loss([], np.zeros((0, 2))), ShapeError, "at least one sample"),
        (lambda: metrics.top_k_accuracy_score([0], [[0.5, 0.5]], 0), ArgumentError, "k must be"),
        (lambda: metrics.roc_curve([0, 2], [0.1, 0.2]), DataError, "0 and 1; they go from 0 to 2"),
        (lambda: metrics.roc_curve([0, 1], [[0.1, 0.9], [0.4, 0.6]]), ShapeError, "give one column"),
        (lambda: metrics.roc_curve([0, 1], [0.1, np.nan]), DataError, "1 of the scores are NaN"),
        (lambda: metrics.roc_auc_score([0, 1], [0.1, 0.2], "best"), ArgumentError, "average"),
        (lambda: metrics.roc_auc_score([], []), ShapeError, "at least one sample"),
        (lambda: metrics.reliability_diagram([0], [0.5], 0), ArgumentError, "bins"),
        (lambda: metrics.with_temperature([[0.5, 0.5]], 0), ArgumentError, "temperature"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
