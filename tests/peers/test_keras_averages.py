"""Averaged weights against Keras: after every step, in fit, and as callbacks see them."""

import numpy as np
import pytest

from minicnn import callbacks, layers, optimizers
from minicnn.models import Sequential

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = pytest.mark.filterwarnings("default")

AVERAGES = {"use_ema": True, "ema_momentum": 0.7}
CASES = [
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, **AVERAGES}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.1, **AVERAGES}),
    ("Adam", {"learning_rate": 0.05, "ema_overwrite_frequency": 3, **AVERAGES}),
    ("RMSprop", {"learning_rate": 0.05, "ema_overwrite_frequency": 1, "clipnorm": 0.5, **AVERAGES}),
]


def pair():
    """A small model and Keras' own, with equal weights."""
    ours = Sequential([layers.Input((4,)), layers.Dense(5, "tanh"), layers.Dense(3)])
    theirs = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3)])
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def samples():
    generator = np.random.default_rng(0)
    return generator.standard_normal((12, 4)).astype(np.float32), generator.standard_normal((12, 3)).astype(np.float32)


def assert_equal_weights(ours, theirs):
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_fit_ends_with_the_averages(name, options):
    ours, theirs = pair()
    ours.compile(getattr(optimizers, name)(**options), "mse")
    theirs.compile(getattr(keras.optimizers, name)(**options), "mse")
    x, y = samples()
    for model in (ours, theirs):
        model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    assert_equal_weights(ours, theirs)
    for model in (ours, theirs):  # training again begins with the averages
        model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    assert_equal_weights(ours, theirs)


@pytest.mark.parametrize("on_epoch", [False, True])
def test_swapped_weights_are_what_is_measured(on_epoch):
    ours, theirs = pair()
    ours.compile(optimizers.SGD(0.1, momentum=0.9, **AVERAGES), "mse")
    theirs.compile(keras.optimizers.SGD(0.1, momentum=0.9, **AVERAGES), "mse")
    x, y = samples()
    found, seen = [], []
    for model, kind in ((ours, callbacks), (theirs, keras.callbacks)):
        norms = []
        note = kind.LambdaCallback(
            on_epoch_end=lambda epoch, logs, m=model, n=norms: n.append(sum(np.abs(w).sum() for w in m.get_weights()))
        )
        watch = [kind.SwapEMAWeights(swap_on_epoch=on_epoch), note]
        record = model.fit(
            x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(x, y), callbacks=watch
        )
        found.append(record.history["val_loss"])
        seen.append(norms)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)
    np.testing.assert_allclose(seen[0], seen[1], rtol=1e-4)
    assert_equal_weights(ours, theirs)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_config_means_the_same_to_keras(name, options):
    optimizer = getattr(optimizers, name)(**options)
    theirs = getattr(keras.optimizers, name).from_config(optimizer.get_config())
    assert {key: theirs.get_config()[key] for key in options} == pytest.approx(options)
    back = optimizers.get({"class_name": name, "config": theirs.get_config()})
    assert back.get_config() == pytest.approx(optimizer.get_config())
