"""Scores of transferability against their definitions, written out another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.errors import DataError, ShapeError
from minicnn.transfer.scoring import h_score, ledoit_wolf_share, leep, log_me

pytestmark = pytest.mark.numpy_only


@st.composite
def labelled(draw):
    """Features (N,D), more rows than columns or fewer, and labels of two to four classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, width, classes = draw(st.integers(5, 30)), draw(st.integers(1, 40)), draw(st.integers(2, 4))
    labels = np.arange(count) % classes
    return rng.normal(size=(count, width)) + labels[:, None] * draw(st.sampled_from([0.0, 1.0])), labels


@given(labelled())
def test_leep_is_the_log_likelihood_of_the_classifier_that_it_names(case):
    x, labels = case
    theta = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    theta = np.concatenate([theta / 2, np.full((len(x), 1), 0.5)], 1)
    total = 0.0
    for row, label in zip(theta, labels):
        met = [sum(theta[n, z] for n in range(len(x)) if labels[n] == label) for z in range(theta.shape[1])]
        total += np.log(sum(row[z] * met[z] / theta[:, z].sum() for z in range(theta.shape[1])))
    assert leep(theta, labels) == pytest.approx(total / len(x), rel=1e-12)


def test_leep_of_a_perfect_and_of_a_useless_source():
    assert leep(np.eye(3)[[2, 2, 0, 0]], [0, 0, 1, 1]) == 0.0
    assert leep(np.full((4, 5), 0.2), [0, 0, 1, 1]) == pytest.approx(np.log(0.5))
    assert leep(np.eye(3)[[2, 2, 0, 0]], [0, 0, 5, 5]) == 0.0  # classes that do not occur, of source and target


@given(labelled())
def test_classes_that_do_not_occur_change_no_score(case):
    x, labels = case
    apart = 10**9 * labels  # a column for each class up to the largest would not fit into any memory
    theta = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    theta = np.concatenate([theta / 2, np.full((len(x), 1), 0.5)], 1)
    assert leep(theta, apart) == leep(theta, labels)
    assert log_me(x, apart) == log_me(x, labels)
    assert h_score(x, apart) == h_score(x, labels)


def normal_log_density(y, covariance):
    determinant = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return -(determinant + y @ np.linalg.solve(covariance, y)) / 2


@given(labelled())
def test_no_strengths_of_prior_and_noise_have_more_evidence_than_those_of_log_me(case):
    """The evidence is the density of y ~ N(0, F Fᵀ / α + I / β)."""
    x, labels = case
    strengths = np.geomspace(1e-3, 1e3, 13)
    best = [
        max(
            normal_log_density(y, x @ x.T / alpha + np.eye(len(x)) / beta) / len(x)
            for alpha in strengths
            for beta in strengths
        )
        for y in (labels[:, None] == np.arange(labels.max() + 1)).T.astype(float)
    ]
    assert log_me(x, labels) >= np.mean(best) - 1e-9


@pytest.mark.parametrize("width", [6, 60])
def test_log_me_is_the_evidence_at_its_own_strengths(width):
    from scipy.optimize import minimize  # a different way to the maximum

    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(40, width)), np.arange(40) % 2
    x[:, 0] += labels
    expected = []
    for y in (labels == 0, labels == 1):

        def cost(logs, y=y):
            covariance = x @ x.T / np.exp(logs[0]) + np.eye(40) / np.exp(logs[1])
            return -normal_log_density(y.astype(float), covariance)

        expected.append(-minimize(cost, [0, 0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).fun / 40)
    assert log_me(x, labels) == pytest.approx(np.mean(expected), abs=1e-9)


def test_log_me_finds_the_highest_of_several_maxima():
    rng = np.random.default_rng(11)
    for _ in range(40):
        x, labels = rng.normal(size=(9, 9)) * rng.uniform(0.1, 5, 9), rng.permutation([0, 1, 2] * 3)
        best = [
            max(
                normal_log_density(y, x @ x.T / alpha + np.eye(9) / beta) / 9
                for alpha in np.geomspace(1e-5, 1e5, 21)
                for beta in np.geomspace(1e-2, 1e3, 11)
            )
            for y in np.eye(3)[labels].T
        ]
        assert log_me(x, labels) >= np.mean(best) - 1e-9


def test_log_me_of_features_that_hold_the_labels_exactly_is_a_number():
    labels = np.arange(12) % 3
    for x in (np.eye(3)[labels], np.eye(12), np.ones((12, 2))):
        assert np.isfinite(log_me(x, labels))
    assert log_me(np.eye(3)[labels], labels) > log_me(np.ones((12, 2)), labels)


@given(labelled())
def test_h_score_by_its_definition(case):
    x, labels = case
    centred = x - x.mean(0)
    means = np.stack([centred[labels == label].mean(0) for label in labels])
    covariance, between = centred.T @ centred / len(x), means.T @ means / len(x)
    expected = np.trace(np.linalg.pinv(covariance, rcond=1e-10, hermitian=True) @ between)
    assert h_score(x, labels) == pytest.approx(expected, rel=1e-6)
    share = ledoit_wolf_share(centred)
    shrunk = (1 - share) * covariance + share * np.trace(covariance) / x.shape[1] * np.eye(x.shape[1])
    expected = np.trace(np.linalg.pinv(shrunk, hermitian=True) @ ((1 - share) * between))
    assert h_score(x, labels, shrinkage=True) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(labelled())
def test_the_share_is_that_of_scikit_learn(case):
    covariance = pytest.importorskip("sklearn.covariance")
    expected = covariance.ledoit_wolf(case[0])[1]
    assert ledoit_wolf_share(case[0] - case[0].mean(0)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_more_features_than_samples_deceive_the_plain_h_score_alone():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    noise, telling = rng.normal(size=(60, 200)), rng.normal(size=(60, 5)) + 2 * labels[:, None]
    assert h_score(noise, labels) == pytest.approx(1.0)
    assert h_score(noise, labels) > h_score(telling, labels)
    assert h_score(noise, labels, shrinkage=True) < h_score(telling, labels, shrinkage=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: log_me(np.ones((3, 2)), [0, 0, 0]), DataError, "all samples are of one class"),
        (lambda: log_me(np.array([[np.inf], [1]]), [0, 1]), DataError, "1 of the features are not finite"),
        (lambda: log_me(np.ones((3, 2)), [0, 1]), ShapeError, "3 rows and 2 labels"),
        (lambda: log_me(np.ones(3), [0, 1, 0]), ShapeError, "features are numbers"),
        (lambda: log_me(np.zeros((3, 2)), [0, 1, 0]), DataError, "0 for all"),
        (lambda: h_score(np.ones((3, 2)), [0, 1, 0]), DataError, "the same for all"),
        (lambda: h_score(np.ones((2, 2)), [0, -1]), ShapeError, "from 0 on"),
        (lambda: leep(np.ones((2, 2)), [0, 1]), DataError, "sum to 1"),
        (lambda: leep(np.eye(2), [0, 1, 0]), ShapeError, "2 rows and 3 labels"),
        (lambda: leep(np.eye(2), []), ShapeError, "class numbers"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
