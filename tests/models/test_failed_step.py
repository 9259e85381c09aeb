"""A step of training that fails changes nothing: moving statistics and random generators are as before it."""

import numpy as np
import pytest

from minicnn.errors import DivergedError, OutOfMemoryError
from minicnn.layers import LSTM, BatchNormalization, Dense, Dropout, Input
from minicnn.losses import MeanSquaredError
from minicnn.models import Sequential
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only
X = np.random.default_rng(0).standard_normal((6, 4, 3)).astype(np.float32)
Y = np.zeros((6, 2), np.float32)


class Failing:
    """A loss that raises, once."""

    def __init__(self, error: BaseException | None):
        self.error = error

    def __call__(self, y_true, y_pred):
        error, self.error = self.error, None
        if error is not None:
            raise error
        return MeanSquaredError()(y_true, y_pred)


def model_with(error: BaseException | None) -> Sequential:
    set_random_seed(2)
    model = Sequential([Input((4, 3)), LSTM(5, dropout=0.3), BatchNormalization(), Dropout(0.4), Dense(2)])
    model.compile("adam", Failing(error))
    return model


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (MemoryError("no more"), OutOfMemoryError),
        (RuntimeError("broken"), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_the_step_after_it_is_as_if_it_had_not_been(error, seen):
    model, twin = model_with(error), model_with(None)
    before = model.get_weights()
    with pytest.raises(seen):
        model.train_on_batch(X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    for each in (model, twin):
        each.train_on_batch(X[:3], Y[:3])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))


def test_looking_for_what_diverged_draws_nothing():
    model, twin = model_with(None), model_with(None)
    with np.errstate(over="ignore"), pytest.raises(DivergedError):
        model.train_on_batch(X, np.full_like(Y, 3e38))
    for each in (model, twin):
        each.train_on_batch(X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))
