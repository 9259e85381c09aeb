"""Means, errors of numbers, and metrics by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import in_batches
from sklearn import metrics as sklearn_metrics

from minicnn import metrics
from minicnn.errors import ArgumentError, ShapeError


@given(st.integers(0, 1000), st.integers(1, 30), st.sampled_from([(), (1,), (3,), (2, 3)]))
def test_mean_errors(seed, n, shape):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.normal(size=(2, n, *shape)).astype(np.float32)
    weights = rng.uniform(0.1, 1, n)
    flat = [y.astype(np.float64).reshape(n, -1) for y in (y_true, y_pred)]
    for w in (None, weights):
        mse = sklearn_metrics.mean_squared_error(*flat, sample_weight=w)
        mae = sklearn_metrics.mean_absolute_error(*flat, sample_weight=w)
        assert in_batches(metrics.get("mse"), y_true, y_pred, w) == pytest.approx(mse, rel=1e-12)
        assert in_batches(metrics.get("mae"), y_true, y_pred, w) == pytest.approx(mae, rel=1e-12)


def test_mean_weighs_batches_and_starts_again():
    mean = metrics.Mean("loss")
    assert (mean.name, mean.result()) == ("loss", 0.0)
    mean.update_state(np.float32(2.0), sample_weight=32)
    mean.update_state([1.0, 4.0])
    assert mean.result() == pytest.approx((64 + 5) / 34)
    mean.reset_state()
    mean.update_state([1.0, 3.0], [1, 3])
    assert mean.result() == 2.5


@pytest.mark.parametrize("name", metrics.NAMES)
def test_a_name_makes_a_metric_of_that_name_which_forgets(name):
    metric = metrics.get(name)
    assert metric.name == name
    before = metric.result()
    y_true = np.array([[0.0, 1.0], [1.0, 0.0]])
    metric.update_state(y_true.argmax(1) if "sparse" in name else y_true, np.array([[0.2, 0.9], [0.6, 0.3]]))
    assert np.any(metric.result() != before)
    metric.reset_state()
    assert np.all(metric.result() == before)


def test_class_names_functions_and_objects():
    assert type(metrics.get("AUC")) is metrics.AUC
    assert type(metrics.get("BinaryAccuracy")) is metrics.BinaryAccuracy

    def bias(y_true, y_pred):
        return y_pred - y_true

    made = metrics.get(bias)
    assert (made.name, made([1.0, 2.0], [2.0, 3.0])) == ("bias", 1.0)
    assert metrics.get(made) is made


@pytest.mark.parametrize("identifier", ["acuracy", 3, None])
def test_an_unknown_metric_lists_the_known_ones(identifier):
    with pytest.raises(ArgumentError, match=r"there is no metric .* sparse_categorical_accuracy"):
        metrics.get(identifier)


def test_shapes_must_be_equal():
    with pytest.raises(ShapeError, match="mean_squared_error"):
        metrics.MeanSquaredError()([[1.0, 2.0]], [[1.0, 2.0, 3.0]])
