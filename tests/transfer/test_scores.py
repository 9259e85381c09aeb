"""Per-class scores and intervals, against scikit-learn and published quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.errors import ArgumentError
from minicnn.metrics.class_scores import class_scores
from minicnn.transfer import Comparison
from minicnn.transfer.compare import Arm
from minicnn.transfer.scores import folds_interval, mean_interval, student_975, wilson_interval


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_class_scores_equal_scikit_learn(pairs):
    sklearn = pytest.importorskip("sklearn.metrics")
    true, predicted = np.array(pairs).T
    confusion = sklearn.confusion_matrix(true, predicted, labels=range(4))
    expected = sklearn.precision_recall_fscore_support(true, predicted, labels=range(4), zero_division=0)
    scores = class_scores(confusion, "abcd")
    for name, values in zip(("precision", "recall", "f1", "support"), expected):
        assert [getattr(score, name) for score in scores] == pytest.approx(list(values), abs=1e-12)


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (4, 2.776), (9, 2.262), (30, 2.042), (200, 1.972)]
)
def test_student_quantiles_are_the_published_ones(freedom, quantile):
    assert student_975(freedom) == pytest.approx(quantile, abs=6e-4)


def test_wilson_interval_of_a_published_example():
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263 and 15 of 148.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


@given(st.integers(0, 300), st.integers(1, 300))
def test_wilson_interval_holds_the_share_and_stays_in_0_1(correct, total):
    correct = min(correct, total)
    low, high = wilson_interval(correct, total)
    assert 0 <= low <= correct / total + 1e-12
    assert correct / total - 1e-12 <= high <= 1


def test_mean_interval_of_equal_values_is_a_point():
    assert mean_interval([0.5, 0.5, 0.5]) == (0.5, (0.5, 0.5))


def test_the_interval_of_folds_is_that_of_compare():
    accuracies = [0.70, 0.74, 0.66, 0.72, 0.68]
    arm = Arm("features", "base", accuracies, 0.0, 0.0)
    mean, interval = folds_interval(accuracies)
    assert interval == pytest.approx(Comparison("photos", [arm], train=640, validation=160).interval(arm))
    assert mean - interval[0] == pytest.approx(1.5 * (mean - mean_interval(accuracies)[1][0]))


def test_the_interval_of_folds_passes_no_share():
    assert folds_interval([1.0, 0.9])[1] == (0.0, 1.0)


def test_too_little_for_an_interval_is_refused():
    with pytest.raises(ArgumentError, match="at least 2 values"):
        mean_interval([0.5])
    with pytest.raises(ArgumentError, match="total > 0"):
        wilson_interval(0, 0)
