"""Areas under curves against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from metric_samples import binary, in_batches, scored
from sklearn import metrics as sklearn_metrics

from minicnn import metrics
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.utils import to_categorical

REFERENCE = {"ROC": sklearn_metrics.roc_auc_score, "PR": sklearn_metrics.average_precision_score}
each_curve = pytest.mark.parametrize("curve", REFERENCE)


@each_curve
@given(samples=binary())
def test_one_column(curve, samples):
    labels, scores, weights = samples
    for w in (None, weights):
        expected = REFERENCE[curve](labels, scores, sample_weight=w)
        assert in_batches(metrics.AUC(curve), labels, scores, w) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        found = in_batches(metrics.AUC(curve), labels[:, None], scores[:, None], w)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@each_curve
@given(samples=scored())
def test_several_columns(curve, samples):
    _, scores, weights = samples
    classes = scores.shape[1]
    scores = np.concatenate([scores, scores[::-1], scores[:1].repeat(classes, 0)])
    labels = np.append(np.arange(len(scores) - classes) % classes, np.arange(classes))  # every class occurs
    weights = np.concatenate([weights, weights, np.ones(classes)])
    one_hot = to_categorical(labels, classes)
    for multi_label, average in ((False, "micro"), (True, "macro")):
        expected = REFERENCE[curve](one_hot, scores, average=average, sample_weight=weights)
        for y_true in (one_hot, labels):
            found = in_batches(metrics.AUC(curve, multi_label=multi_label), y_true, scores, weights)
            assert found == pytest.approx(expected, rel=1e-12)


def test_what_has_no_area():
    assert np.isnan(metrics.AUC()([1, 1], [0.2, 0.3]))
    assert metrics.AUC("PR")([0, 0], [0.2, 0.3]) == 0.0
    assert metrics.AUC("PR")([1, 1], [0.2, 0.3]) == 1.0
    assert np.isnan(metrics.AUC()([0, 1], [0.2, np.nan]))
    assert metrics.AUC().result() == 0.0


def test_scores_are_kept_as_they_were():
    metric, scores = metrics.AUC(), np.array([0.1, 0.9])
    metric.update_state([0, 1], scores)
    scores[:] = scores[::-1]
    assert metric.result() == 1.0


def test_an_unknown_curve_is_refused():
    with pytest.raises(ArgumentError, match="'ROC', 'PR'"):
        metrics.AUC("DET")


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_, np.float16])
def test_scores_of_any_type_of_number(dtype):
    for curve in REFERENCE:
        assert metrics.AUC(curve)([1, 0, 0], np.array([1, 0, 0], dtype)) == 1.0
    assert metrics.AUC()([1, 0], np.array([0, 1], dtype)) == 0.0


def test_batches_without_samples():
    metric = metrics.AUC()
    assert metric([], []) == 0.0
    metric.update_state([1, 0], [0.9, 0.1])
    metric.update_state([], [])
    assert metric.result() == 1.0


def test_outputs_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="auc: outputs must be numbers"):
        metrics.AUC()([0, 1], ["a", "b"])
    with pytest.raises(DataError, match="auc: targets must be numbers"):
        metrics.AUC()(["a", "b"], [0.1, 0.9])
    with pytest.raises(ShapeError, match="axis of samples"):
        metrics.AUC()(1, 0.5)
