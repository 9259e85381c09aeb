"""The rate of fine-tuning: from nothing up to the one that was asked for, and as a cosine down to nothing."""

import math

import numpy as np
import pytest

from minicnn.layers import Dense, Input
from minicnn.models import Sequential
from minicnn.optimizers import Adam
from minicnn.transfer import Settings
from minicnn.transfer.fine_tuning import Tail

pytestmark = pytest.mark.numpy_only


@pytest.fixture
def rates(monkeypatch) -> list[float]:
    """The learning rate of every step of Adam from now on."""
    used, apply = [], Adam.apply_gradients

    def noted(adam, pairs):
        used.append(adam.learning_rate)
        return apply(adam, pairs)

    monkeypatch.setattr(Adam, "apply_gradients", noted)
    return used


@pytest.mark.parametrize(("epochs", "climbing"), [(12, 2), (8, 2), (4, 1), (1, 0.25)])
def test_the_rate_climbs_for_two_epochs_or_a_quarter_and_then_falls_as_a_cosine(rates, epochs, climbing):
    head = Dense(3, activation="softmax")
    rows, steps = np.arange(14), 4  # in batches of 4
    tail = Tail(Sequential([Input((2,)), head]), head, [np.ones((14, 2), np.float32)], rows % 3)
    tail.fit(rows, rows, Settings(unfreeze=1, fine_epochs=epochs, batch_size=4, learning_rate=0.01).policy)
    up, total = int(climbing * steps), epochs * steps
    climb = [0.01 * step / up for step in range(up)]
    fall = [0.01 * (1 + math.cos(math.pi * step / (total - up))) / 2 for step in range(total - up)]
    assert rates == pytest.approx(climb + fall)
    assert (rates[0], rates[up]) == (0, 0.01)
    assert 0 < rates[-1] < rates[-2]
