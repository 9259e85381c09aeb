"""The choice of weight decay: a solver that reaches the minimum, and a choice that generalises."""

import numpy as np
import pytest

from minicnn.transfer import weight_decay
from minicnn.transfer.weight_decay import (
    CANDIDATES,
    DEFAULT,
    INNER_FOLDS,
    STEPS,
    choose_weight_decay,
    log_losses,
    softmax_path,
    standardiser,
)

pytestmark = pytest.mark.numpy_only


def clusters(per_class, width, noise, seed=0):
    """Features (N,D) of three classes around random centres, their labels, and as many for testing."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((3, width))
    labels = np.repeat(np.arange(3), per_class)
    draw = lambda: (centres[labels] + noise * generator.standard_normal((len(labels), width))).astype(np.float32)  # noqa: E731
    return draw(), draw(), labels


@pytest.mark.parametrize("decay", [1.0, 0.1, 0.01])
def test_the_minimum_is_scikit_learns(decay):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, _, labels = clusters(30, 12, 1.5)
    mean, scale = standardiser(x)
    x = (x - mean) / scale
    expected = linear_model.LogisticRegression(C=1 / (decay * len(x)), tol=1e-10, max_iter=10_000).fit(x, labels)
    weights, bias = softmax_path(x, np.eye(3, dtype=np.float32)[labels], np.array([3.0, decay]), range(600))
    np.testing.assert_allclose(weights[:, 1].T, expected.coef_, atol=2e-3)
    centred = expected.intercept_ - expected.intercept_.mean()
    np.testing.assert_allclose(bias[0, 1] - bias[0, 1].mean(), centred, atol=2e-3)


def test_candidates_solved_together_equal_those_solved_alone():
    x, _, labels = clusters(20, 5, 1.0)
    y = np.eye(3, dtype=np.float32)[labels]
    together, _ = softmax_path(x, y, CANDIDATES)
    alone, _ = softmax_path(x, y, CANDIDATES[4:5])
    np.testing.assert_allclose(together[:, 4:5], alone, rtol=1e-4, atol=1e-6)


def test_noisier_features_ask_for_more_decay():
    quiet, _, labels = clusters(40, 30, 0.3)
    noisy, _, _ = clusters(40, 30, 6.0)
    assert choose_weight_decay(noisy, labels, 3) > choose_weight_decay(quiet, labels, 3)


def test_the_choice_is_near_the_best_on_unseen_samples():
    x, unseen, labels = clusters(40, 60, 4.0)
    y = np.eye(3, dtype=np.float32)[labels]
    mean, scale = standardiser(x)
    losses = log_losses((unseen - mean) / scale, y, *softmax_path((x - mean) / scale, y, CANDIDATES))
    chosen = losses[list(CANDIDATES).index(np.float32(choose_weight_decay(x, labels, 3)))]
    assert chosen < losses.min() + 0.05
    assert chosen < losses[-1] - 0.05


def test_one_picture_a_class_gets_the_default():
    assert choose_weight_decay(np.eye(3, dtype=np.float32), np.arange(3), 3) == DEFAULT


def test_features_of_which_none_varies_leave_the_shares_of_the_classes():
    labels = np.array([0, 0, 0, 1] * 4)
    assert choose_weight_decay(np.ones((16, 3), np.float32), labels, 2) in CANDIDATES
    rows = np.eye(2, dtype=np.float32)[labels]
    weights, bias = softmax_path(np.zeros((16, 3), np.float32), rows, CANDIDATES)
    assert not weights.any()
    np.testing.assert_allclose(np.exp(bias[0, 0, 0] - bias[0, 0, 1]), 3, rtol=1e-2)


def test_a_feature_that_never_varies_becomes_zero():
    features = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)
    mean, scale = standardiser(features)
    np.testing.assert_array_equal((features - mean) / scale, [[-1, 0], [1, 0]])


def test_every_step_of_the_choice_is_told():
    x, y = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32), np.arange(40) % 2
    told = []
    choose_weight_decay(x, y, 2, progress=lambda *step: told.append(step))
    total = INNER_FOLDS * STEPS
    assert {(step, of) for step, _, of in told} == {("choosing the weight decay", total)}
    done = [count for _, count, _ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, total)


def test_each_inner_fold_is_standardised_by_its_training_part_alone(monkeypatch):
    x, _, labels = clusters(20, 5, 1.0)
    solved = []
    monkeypatch.setattr(weight_decay, "softmax_path", lambda x, *rest: solved.append(x) or softmax_path(x, *rest))
    choose_weight_decay(x, labels, 3)
    assert len(solved) == INNER_FOLDS
    for part in solved:
        np.testing.assert_allclose(part.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(part.std(axis=0), 1, atol=1e-5)
