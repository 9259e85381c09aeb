"""A batch that a device has no memory for: the error names one that fits, and nothing has changed."""

import gc

import numpy as np
import pytest
from emulator.device import install
from emulator.memory import pool

from minicnn.errors import OutOfMemoryError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input
from minicnn.models import Sequential
from minicnn.models.plan import plan

pytestmark = pytest.mark.cuda_emulated


@pytest.fixture
def model(monkeypatch) -> Sequential:
    """One on a device with a few megabytes left."""
    install()
    made = Sequential([Input((16, 16, 3)), Conv2D(16, 3), BatchNormalization(), Flatten(), Dense(2)])
    made.compile("sgd", "mse")
    made.to("cuda-emulated")
    made.train_on_batch(*samples(1))
    gc.collect()  # what earlier tests have left would be given back in the middle
    monkeypatch.setattr(pool, "limit", pool.used + (8 << 20))
    return made


def samples(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, 16, 16, 3)).astype(np.float32), np.zeros((count, 2), np.float32)


def test_the_batch_that_is_named_fits_and_twice_as_many_do_not(model):
    before = model.get_weights()
    with pytest.raises(
        OutOfMemoryError, match=r"on a batch of 400 samples .* on cuda-emulated: batch_size=\d+"
    ) as error:
        model.train_on_batch(*samples(400))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    fitting = int(str(error.value).rpartition("=")[2].split()[0])
    assert 20 < fitting < 400
    del error
    model.train_on_batch(*samples(fitting))
    with pytest.raises(OutOfMemoryError):
        model.train_on_batch(*samples(2 * fitting))


def test_where_not_even_one_sample_fits_the_error_says_so(model, monkeypatch):
    monkeypatch.setattr(pool, "limit", pool.used + (20 << 10))
    with pytest.raises(OutOfMemoryError, match="not even one fits"):
        model.train_on_batch(*samples(4))


def test_a_prediction_that_ran_out_names_the_batch_that_fits(model, monkeypatch):
    model.predict(samples(1)[0])
    monkeypatch.setattr(plan, "SHARE", 8.0)  # as where a kernel's own memory is larger than what was counted
    monkeypatch.setattr(pool, "limit", pool.used + (3 << 20))
    for call in (
        lambda count: model.predict(samples(count)[0], count),
        lambda count: model.evaluate(*samples(count), count),
    ):
        with pytest.raises(
            OutOfMemoryError, match=r"^predicting a batch of 200 samples .* on cuda-emulated: batch_size=\d+ fits"
        ) as error:
            call(200)
        fitting = int(str(error.value).rpartition("=")[2].split()[0])
        assert 10 < fitting < 200
        del error
        call(fitting)
        with pytest.raises(OutOfMemoryError):
            call(200)
    monkeypatch.setattr(pool, "limit", pool.used + (2 << 10))
    with pytest.raises(OutOfMemoryError, match="are left on cuda-emulated: make it smaller"):
        model.predict(samples(7)[0])


def test_prediction_takes_the_samples_in_parts_that_fit(model, monkeypatch):
    expected = model.predict(samples(64)[0], batch_size=8)
    monkeypatch.setattr(pool, "limit", pool.used + (1 << 20))
    np.testing.assert_allclose(model.predict(samples(64)[0], batch_size=64), expected, rtol=1e-5, atol=1e-6)
