"""The head: it reaches the minimum of its loss, and is written for features as they are."""

import numpy as np
import pytest

from minicnn.transfer.head import train_head
from minicnn.transfer.weight_decay import softmax_path, standardiser
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only


def data(count=90, width=12, seed=0):
    """Features of very different scales, and labels of three classes."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = generator.normal(size=(3, width))
    features = centres[labels] + 1.2 * generator.normal(size=(count, width))
    return (features * np.logspace(-2, 2, width) + 7).astype(np.float32), labels


def train(x, y, **changes):
    options = {"epochs": 40, "batch_size": 16, "weight_decay": 0.1} | changes
    return train_head((x, y), (x, y), 3, **options)


@pytest.mark.parametrize("decay", [0.3, 0.05])
def test_it_predicts_as_the_minimum_of_its_loss_does(decay):
    x, y = data()
    head = train(x, y, weight_decay=decay)
    mean, scale = standardiser(x)
    weights, bias = softmax_path((x - mean) / scale, np.eye(3, dtype=np.float32)[y], np.array([decay]), range(500))
    logits = ((x - mean) / scale) @ weights[:, 0] + bias[0, 0]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.abs(head.probabilities(x) - expected).max() < 0.03


@pytest.mark.parametrize("smoothing", [0.0, 0.4])
def test_it_is_fitted_to_smoothed_labels_and_its_losses_are_plain(smoothing):
    x, y = data()
    head = train(x, y, label_smoothing=smoothing, epochs=80)
    mean, scale = standardiser(x)
    targets = (1 - smoothing) * np.eye(3, dtype=np.float32)[y] + np.float32(smoothing / 3)
    weights, bias = softmax_path((x - mean) / scale, targets, np.array([0.1]), range(500))
    logits = ((x - mean) / scale) @ weights[:, 0] + bias[0, 0]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = head.probabilities(x)
    assert np.abs(found - expected).max() < 0.03
    plain = -np.log(found[np.arange(len(y)), y]).mean()
    assert head.history["val_loss"][-1] == pytest.approx(plain, rel=1e-3)


def test_it_equals_scikit_learns_probe_on_unseen_features():
    linear_model = pytest.importorskip("sklearn.linear_model")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x, y = data(600, seed=3)
    head = train(x[:300], y[:300], weight_decay=0.1)
    scaler = preprocessing.StandardScaler().fit(x[:300])
    probe = linear_model.LogisticRegression(C=1 / (0.1 * 300)).fit(scaler.transform(x[:300]), y[:300])
    expected = probe.score(scaler.transform(x[300:]), y[300:])
    assert (head.probabilities(x[300:]).argmax(axis=1) == y[300:]).mean() > expected - 0.01


def test_every_epoch_has_its_figures_and_seconds():
    x, y = data()
    head = train(x, y, epochs=3)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert len(head.history[name]) == 3
    assert len(head.seconds) == 3
    assert all(seconds > 0 for seconds in head.seconds)


def test_the_recorded_loss_is_that_of_the_data_alone():
    x, y = data()
    head = train(x, y, epochs=60, weight_decay=1.0)
    expected = -np.log(head.probabilities(x)[np.arange(len(y)), y]).mean()
    assert head.history["loss"][-1] == pytest.approx(expected, rel=0.02)
    assert head.history["val_loss"][-1] == pytest.approx(expected, rel=1e-3)


def test_two_runs_of_one_seed_are_equal_bit_for_bit():
    x, y = data()
    kernels = []
    for seed in (1, 1, 2):
        set_random_seed(seed)
        kernels.append(train(x, y, epochs=2, dropout=0.3).kernel.tobytes())
    assert kernels[0] == kernels[1] != kernels[2]


def test_progress_is_told_every_epoch():
    x, y = data()
    told = []
    train(x, y, epochs=2, progress=lambda *args: told.append(args))
    assert told == [("training the head", 1, 2), ("training the head", 2, 2)]
