"""Batches of the host on a device: the next is begun before the outputs of the last are waited for."""

from concurrent.futures import ThreadPoolExecutor
from threading import get_ident

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install

from minicnn import kernels
from minicnn.callbacks import Callback
from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential

pytestmark = pytest.mark.cuda_emulated
DEVICE = "cuda-emulated"


@pytest.fixture
def events(monkeypatch) -> list[str]:
    """What the device does, in turn: a batch is written to it, its outputs are waited for."""
    noted: list[str] = []
    write, to_host = EmulatedDevice.write, EmulatedDevice.to_host

    def writes(device, place, array):
        noted.append(f"begin {len(array)}")
        write(device, place, array)

    def waits(device, array):
        noted.append(f"wait {len(array)}")
        return to_host(device, array)

    install()
    monkeypatch.setattr(EmulatedDevice, "write", writes)
    monkeypatch.setattr(EmulatedDevice, "to_host", waits)
    return noted


@pytest.fixture
def model() -> Sequential:
    made = Sequential([Input((4, 4, 3)), Conv2D(5, 3, activation="relu"), GlobalAveragePooling2D(), Dense(2)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, 4, 4, 3)).astype(np.float32)


class Hooks(Callback):
    def __init__(self, stop_after: int = 99):
        super().__init__()
        self.seen: list[str] = []
        self.stop_after = stop_after

    def on_predict_batch_begin(self, batch, logs=None):
        self.seen.append(f"begin {batch}")

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append(f"end {batch} {len(logs['outputs'])}")
        self.model.stop_predicting = batch == self.stop_after


def test_predict_is_one_batch_ahead(model, events):
    expected = model.predict(images(7), batch_size=2)
    model.to(DEVICE)
    events.clear()
    found = model.predict(images(7), batch_size=2)
    assert events == ["begin 2", "begin 2", "wait 2", "begin 2", "wait 2", "begin 2", "wait 2", "wait 2"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_host_itself_is_never_ahead(model, monkeypatch):
    order: list[str] = []
    run = model.start_plan
    monkeypatch.setattr(model, "start_plan", lambda *given: order.append("start") or run(*given))
    hooks = Hooks()
    hooks.seen = order
    model.predict(images(4), batch_size=2, callbacks=[hooks])
    assert order == ["start", "begin 0", "end 0 2", "start", "begin 1", "end 1 2"]


def test_hooks_come_in_pairs_and_can_end_it(model, events):
    model.to(DEVICE)
    hooks = Hooks(stop_after=1)
    found = model.predict(images(9), batch_size=2, callbacks=[hooks])
    assert hooks.seen == ["begin 0", "end 0 2", "begin 1", "end 1 2"]
    np.testing.assert_array_equal(found, model.predict(images(9), batch_size=2)[:4])


def test_evaluate_is_one_batch_ahead(model, events):
    x, y = images(5), np.ones((5, 2), np.float32)
    expected = model.evaluate(x, y, batch_size=2, verbose=0)
    model.to(DEVICE)
    events.clear()
    found = model.evaluate(x, y, batch_size=2, verbose=0)
    assert events == ["begin 2", "begin 2", "wait 2", "begin 1", "wait 2", "wait 1"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_validation_is_one_batch_ahead(model, events):
    x, y = images(4), np.ones((4, 2), np.float32)
    model.to(DEVICE).fit(x, y, batch_size=4, epochs=1, validation_data=(x, y), validation_batch_size=2, verbose=0)
    assert events[-4:] == ["begin 2", "begin 2", "wait 2", "wait 2"]


def test_nothing_is_fetched_of_arrays_that_are_on_the_device(model, events):
    x = kernels.device(DEVICE).from_host(images(5))
    found = model.to(DEVICE).predict(x, batch_size=2)
    assert not [event for event in events if event.startswith("wait")]
    assert kernels.device_of(found) == DEVICE
    np.testing.assert_array_equal(kernels.to_host(found), model.predict(images(5), batch_size=2))


def test_threads_predict_at_once_each_on_buffers_of_its_own(model, monkeypatch):
    device = install()
    marks = iter(range(1000))
    waited: dict[int, set[int]] = {}
    monkeypatch.setattr(EmulatedDevice, "mark", lambda device: next(marks))
    monkeypatch.setattr(EmulatedDevice, "after", lambda device, mark: waited.setdefault(get_ident(), set()).add(mark))
    expected = model.predict(images(12), batch_size=3)
    model.to(device.name)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: model.predict(images(12), batch_size=3), range(12)):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    seen = set.union(*waited.values())
    assert 0 in seen, "buffers that are new wait for the weights"
    assert len(seen) > 12, "and others for the run before"
