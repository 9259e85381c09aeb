"""Penalties and constraints: their formulas, gradients and names."""

import numpy as np
import pytest

from minicnn.errors import ArgumentError
from minicnn.layers.regularizers import L1L2, MaxNorm, NonNeg, UnitNorm, get_constraint, get_regularizer

pytestmark = pytest.mark.numpy_only
W = np.array([[3.0, -1.0], [4.0, 0.5]])


def test_the_gradient_is_that_of_the_penalty():
    regularizer, step = L1L2(l1=0.25, l2=0.125), 1e-6
    assert regularizer.penalty(W) == pytest.approx(0.25 * 8.5 + 0.125 * 26.25)
    numeric = np.zeros_like(W)
    for index in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[index] += step
        down[index] -= step
        numeric[index] = (regularizer.penalty(up) - regularizer.penalty(down)) / (2 * step)
    np.testing.assert_allclose(regularizer.gradient(W), numeric, rtol=1e-6)
    assert regularizer.gradient(W.astype(np.float32)).dtype == np.float32


def test_constraints():
    np.testing.assert_allclose(np.linalg.norm(MaxNorm(2.0)(W), axis=0), [2, np.hypot(1, 0.5)], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(UnitNorm(axis=1)(W), axis=1), [1, 1], rtol=1e-6)
    np.testing.assert_array_equal(NonNeg()(W), [[3, 0], [4, 0.5]])
    assert MaxNorm()(W.astype(np.float32)).dtype == UnitNorm()(W.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("identifier", "l1", "l2"),
    [
        ("l1", 0.01, 0),
        ("l2", 0, 0.01),
        ("l1_l2", 0.01, 0.01),
        ("L1L2", 0.01, 0.01),
        ({"class_name": "L2", "config": {"l2": 0.5}}, 0, 0.5),
        ({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.25}}, 0, 0.25),
        (L1L2(1, 2), 1, 2),
    ],
)
def test_regularizers_by_name(identifier, l1, l2):
    found = get_regularizer(identifier)
    assert (found.l1, found.l2) == (l1, l2)


def test_constraints_by_name():
    assert get_constraint(None) is get_regularizer(None) is None
    assert isinstance(get_constraint("non_neg"), NonNeg)
    assert get_constraint({"class_name": "MaxNorm", "config": {"max_value": 3, "axis": 1}}).max_value == 3
    with pytest.raises(ArgumentError, match="unknown constraint 'tight'"):
        get_constraint("tight")
    with pytest.raises(ArgumentError, match="unknown regularizer 'l9'"):
        get_regularizer("l9")


def test_min_max_norm():
    w = np.array([[3.0, 0.3, 0.6], [4.0, 0.4, 0.8]])  # norms 5, 0.5 and 1 along axis 0
    bounded = get_constraint({"class_name": "MinMaxNorm", "config": {"min_value": 0.75, "max_value": 2.0}})(w)
    np.testing.assert_allclose(np.linalg.norm(bounded, axis=0), [2, 0.75, 1], rtol=1e-6)
    half = get_constraint({"class_name": "MinMaxNorm", "config": {"min_value": 0.75, "max_value": 2.0, "rate": 0.5}})(w)
    np.testing.assert_allclose(np.linalg.norm(half, axis=0), [3.5, 0.625, 1], rtol=1e-6)
