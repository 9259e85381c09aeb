"""Averaged weights in fit: measured by the callback, kept at the end."""

import numpy as np
import pytest

from minicnn.callbacks import Callback, EarlyStopping, SwapEMAWeights
from minicnn.errors import ArgumentError
from minicnn.layers import Dense, Input
from minicnn.models import Sequential
from minicnn.optimizers import SGD

pytestmark = pytest.mark.numpy_only

X = np.ones((4, 1), np.float32)
Y = np.full((4, 1), 8.0, np.float32)


def compiled(**options) -> Sequential:
    """y = w x + 0, at w = 0, with rate 1/8: w halves its distance to 8 in every step."""
    model = Sequential([Input((1,)), Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(SGD(0.25, **options), "mse")
    return model


class Seen(Callback):
    """The weight at the turning points."""

    def __init__(self):
        super().__init__()
        self.weights: dict[str, list[float]] = {"epoch": [], "test": []}

    def _note(self, when):
        self.weights[when].append(float(self.model.get_weights()[0][0, 0]))

    def on_test_batch_end(self, batch, logs=None):
        self._note("test")

    def on_epoch_end(self, epoch, logs=None):
        self._note("epoch")


def run(*callbacks, epochs=3, **options):
    model, seen = compiled(**options), Seen()
    model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, validation_data=(X, Y), callbacks=[*callbacks, seen])
    return model.get_weights()[0][0, 0], seen.weights


def test_training_ends_with_the_average():
    last, seen = run(use_ema=True, ema_momentum=0.5)
    assert seen == {"epoch": [4, 6, 7], "test": [4, 6, 7]}
    assert last == 0.5 * (0.5 * 4 + 0.5 * 6) + 0.5 * 7


def test_the_average_is_measured_and_training_goes_on_beside_it():
    last, seen = run(SwapEMAWeights(), use_ema=True, ema_momentum=0.5)
    assert seen == {"epoch": [4, 6, 7], "test": [4, 5, 6]}
    assert last == 6


def test_other_callbacks_can_see_the_average():
    last, seen = run(SwapEMAWeights(swap_on_epoch=True), use_ema=True, ema_momentum=0.5)
    assert seen == {"epoch": [4, 5, 6], "test": [4, 5, 6]}
    assert last == 6


def test_the_average_is_kept_where_training_ends_early():
    stop = EarlyStopping(patience=0, min_delta=100.0)
    last, _ = run(SwapEMAWeights(swap_on_epoch=True), stop, use_ema=True, ema_momentum=0.5, epochs=9)
    assert last == 5  # after two epochs


def test_an_optimizer_without_averages_is_refused():
    with pytest.raises(ArgumentError, match="use_ema=True"):
        run(SwapEMAWeights())
