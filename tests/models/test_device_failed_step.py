"""A step for which a device has too little memory changes nothing, nor does the search for a batch that fits."""

import gc

import numpy as np
import pytest
from emulator.device import install
from emulator.memory import pool

from minicnn.errors import OutOfMemoryError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input
from minicnn.models import Sequential
from minicnn.optimizers import SGD
from minicnn.seeds import set_random_seed

pytestmark = pytest.mark.cuda_emulated
X = np.random.default_rng(0).standard_normal((100, 16, 16, 3)).astype(np.float32)
Y = np.zeros((100, 2), np.float32)


def begun() -> Sequential:
    """A model whose first step is done."""
    install()
    set_random_seed(4)
    layers = [Conv2D(16, 3, use_bias=False), BatchNormalization(), Dropout(0.2), Flatten(), Dropout(0.4), Dense(2)]
    model = Sequential([Input((16, 16, 3)), *layers])
    model.compile("sgd", "mse")
    model.to("cuda-emulated").train_on_batch(X[:8], Y[:8])
    return model


def weights_after_two(model: Sequential) -> list[np.ndarray]:
    for _ in range(2):
        model.train_on_batch(X[:8], Y[:8])
    return model.get_weights()


@pytest.mark.parametrize(
    ("left", "said"),
    [(2 << 20, r"batch_size=\d+ fits"), (500 << 10, r"batch_size=\d+ fits"), (3 << 10, "not even one fits")],
)
def test_the_steps_after_it_are_as_if_it_had_not_been(monkeypatch, left, said):
    expected = weights_after_two(begun())
    model = begun()
    before = model.get_weights()
    gc.collect()
    with monkeypatch.context() as patch:
        patch.setattr(pool, "limit", pool.used + left)
        with pytest.raises(OutOfMemoryError, match=said):
            model.train_on_batch(X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    assert all(weight.grad is None for weight in model.weights)
    assert all(np.array_equal(a, b) for a, b in zip(weights_after_two(model), expected, strict=True))


@pytest.mark.parametrize(
    ("averaging", "constraint"),
    [({"use_ema": True}, None), ({"use_ema": True, "ema_overwrite_frequency": 1}, None), ({}, "max_norm")],
    ids=["averages", "averages for weights", "a constraint"],
)
def test_after_the_weights_nothing_takes_memory(monkeypatch, averaging, constraint):
    """A step is made as a whole, or not at all, whatever memory is left."""
    set_random_seed(4)
    install()
    model = Sequential([Input((192,)), Dense(100, kernel_constraint=constraint), Dense(2)])
    model.compile(SGD(0.001, momentum=0.9, **averaging), "mse")
    x, y = X[:1, :8, :8].reshape(1, -1), Y[:1] + 1
    model.to("cuda-emulated").train_on_batch(x, y)
    ends: list[str] = []
    for left in range(64 << 10, 288 << 10, 32 << 10):
        gc.collect()
        before = model.get_weights() + list(model.optimizer.state().values())
        with monkeypatch.context() as patch:
            patch.setattr(pool, "limit", pool.used + left)
            try:
                model.train_on_batch(x, y)
                ends.append("made")
            except OutOfMemoryError as error:
                ends.append(str(error))
        after = model.get_weights() + list(model.optimizer.state().values())
        same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        assert same == (ends[-1] != "made")
    assert set(ends) > {"made"}
    assert not [said for said in ends if "batch_size" in said]  # of a batch of one
