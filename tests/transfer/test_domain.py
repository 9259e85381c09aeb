"""Distances of sets of features against brute force and known cases; CORAL against its promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.transfer.domain import coral, domain_error, domain_gap, mmd

pytestmark = pytest.mark.numpy_only


def normal(rows, columns=3, seed=0, move=0.0):
    return np.random.default_rng(seed).normal(size=(rows, columns)) + move


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(2, 9))
def test_mmd_by_its_definition(seed, n, m):
    x, y = normal(n, seed=seed), normal(m, seed=seed + 1, move=0.5)
    both = np.concatenate([x, y])
    middle = np.median([np.linalg.norm(both[i] - both[j]) for i in range(n + m) for j in range(i)])

    def k(a, b):
        return np.exp(-np.sum((a - b) ** 2) / (2 * middle**2))

    within = [np.mean([k(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j]) for a in (x, y)]
    expected = sum(within) - 2 * np.mean([k(a, b) for a in x for b in y])
    assert mmd(x, y, permutations=1)[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_mmd_of_sets_of_one_kind_is_unbiased_and_its_p_values_are_even():
    found = [mmd(normal(15, seed=2 * i), normal(20, seed=2 * i + 1), permutations=39) for i in range(150)]
    values, p = np.array(found).T
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert (values < 0).any()
    assert 0.01 < (p <= 0.1).mean() < 0.2
    assert p.min() >= 1 / 40


def test_sets_that_lie_apart_are_told_apart():
    near, far = normal(40), normal(50, seed=1, move=6)
    gap = domain_gap(near, far)
    assert (gap.proxy_a_distance, gap.error) == (2.0, 0.0)
    assert gap.p_value == pytest.approx(1 / 201)
    assert "source and target differ" in str(gap)
    same = domain_gap(near, normal(50, seed=2))
    assert same.proxy_a_distance < 0.8
    assert same.mmd2 < gap.mmd2 / 10
    assert "were not told apart" in str(same)


def test_the_error_of_the_classifier_is_that_of_the_best_line():
    """N(0, 1) against N(2, 1): the best threshold errs in Φ(-1) = 15.9 %."""
    assert domain_error(normal(1500, 1), normal(1500, 1, seed=1, move=2)) == pytest.approx(0.159, abs=0.02)


def test_a_larger_set_does_not_flatter_the_classifier():
    assert domain_error(normal(20), normal(400, seed=1)) > 0.25


def test_copies_of_one_sample_have_no_distance():
    assert mmd(np.ones((4, 2)), np.ones((3, 2))) == (0.0, 1.0)
    assert domain_gap(np.ones((4, 2)), np.ones((3, 2))).proxy_a_distance == 0.0


def test_where_the_origin_lies_does_not_matter():
    near = mmd(normal(20), normal(30, seed=1))[0]
    assert mmd(normal(20) + 1e6, normal(30, seed=1) + 1e6)[0] == pytest.approx(near, abs=1e-8)


@given(st.integers(0, 100))
def test_coral_gives_the_covariance_of_the_target(seed):
    rng = np.random.default_rng(seed)
    source, target = (rng.normal(size=(rows, 4)) @ rng.normal(size=(4, 4)) for rows in (60, 50))
    moved = coral(source, target + 3, ridge=1e-9)
    np.testing.assert_allclose(moved.mean(0), target.mean(0) + 3, atol=1e-4)
    np.testing.assert_allclose(np.cov(moved.T, bias=True), np.cov(target.T, bias=True), rtol=1e-3, atol=1e-3)


def test_coral_of_features_that_do_not_vary():
    source, target = normal(10), normal(12, seed=1)
    source[:, 0] = target[:, 1] = 5.0
    moved = coral(source, target)
    assert np.isfinite(moved).all()
    np.testing.assert_allclose(moved[:, 1], 5.0, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: domain_gap(np.ones((3, 2)), np.ones((3, 4))), ShapeError, r"\(3, 2\) and \(3, 4\)"),
        (lambda: domain_gap(np.ones((1, 2)), np.ones((3, 2))), DataError, "at least two samples"),
        (lambda: mmd(np.ones((3, 2)), np.full((3, 2), np.nan)), DataError, "6 features of the target are not finite"),
        (lambda: mmd(np.ones((3, 2)), np.ones((3, 2)), permutations=0), ArgumentError, "permutations"),
        (lambda: coral(np.ones((3, 2)), np.ones((3, 2)), ridge=0), ArgumentError, "ridge"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
