"""Batches that memory has no room for: predicted part by part, or refused by one line that says what would help."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_nets import images, nets, plan_of, randomize

from minicnn import kernels
from minicnn import layers as L
from minicnn.errors import MinicnnError, OutOfMemoryError
from minicnn.models import Model, Sequential, memory
from minicnn.models.plan import plan

pytestmark = pytest.mark.numpy_only


def net(*row: L.Layer) -> Sequential:
    model = Sequential([L.Input((6, 5, 3)), *row])
    randomize(model, 0)
    return model


def test_what_a_sample_takes_is_what_is_needed_at_the_same_time():
    image, wide, narrow, pooled = 30 * 3 * 4, 30 * 8 * 4, 30 * 2 * 4, 8 * 4
    wide_narrow = net(L.Conv2D(8, 1), L.Conv2D(2, 1), L.Conv2D(8, 1), L.GlobalAveragePooling2D())
    assert plan_of(wide_narrow).sample_bytes == image + max(wide + narrow, wide + pooled)
    x = L.Input((6, 5, 3))
    kept = L.Conv2D(8, 1)(x)
    model = Model(x, [kept, L.Conv2D(2, 1)(L.Conv2D(8, 1)(kept))])
    assert plan_of(model).sample_bytes == image + 2 * wide + narrow


def test_the_steps_of_a_sequence_that_are_taken_for_samples_take_memory_each(monkeypatch):
    image, wide, narrow = 30 * 3 * 4, 30 * 8 * 4, 30 * 2 * 4
    x = L.Input((4, 6, 5, 3))
    model = Model(x, L.TimeDistributed(net(L.Conv2D(8, 1), L.Conv2D(2, 3, padding="same")))(x))
    made = plan_of(model)
    assert made.sample_bytes == 4 * (image + wide + narrow)
    data = np.random.default_rng(0).standard_normal((6, 4, 6, 5, 3)).astype(np.float32)
    expected = plan_of(model).run([data])[0]
    monkeypatch.setattr(plan, "available_memory", lambda: int(2 * made.sample_bytes / plan.SHARE))
    np.testing.assert_allclose(made.run([data])[0], expected, rtol=1e-5, atol=1e-6)
    assert max(made._stages) == 2
    np.testing.assert_allclose(expected, model(data, training=False).numpy(), rtol=1e-5, atol=1e-6)


@settings(max_examples=25)
@given(nets(), st.integers(1, 7), st.data())
def test_a_batch_without_room_is_computed_in_parts_with_the_same_results(model, count, data):
    x = images(count)
    expected = plan_of(model).run([x])
    short = plan_of(model)
    room = data.draw(st.integers(1, count)) * short.sample_bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "available_memory", lambda: int(room / plan.SHARE))
        found = short.run([x])
        assert max(short._stages) * short.sample_bytes <= room
    for a, b in zip(found, expected):
        if kernels.numba_wanted():
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_results_that_are_no_samples_are_given_once(monkeypatch):
    x = L.Input((2,))
    model = Model(x, L.Dense(3)(x))
    made = plan_of(model)
    made.outputs.append(np.arange(4.0))
    made.masked.append(False)
    monkeypatch.setattr(plan, "available_memory", lambda: 4 * made.sample_bytes)
    assert [output.shape for output in made.run([np.zeros((5, 2), np.float32)])] == [(5, 3), (4,)]


def test_a_sample_without_room_is_refused(monkeypatch):
    model = net(L.Conv2D(8, 3))
    monkeypatch.setattr(plan, "available_memory", lambda: 512)
    with pytest.raises(OutOfMemoryError, match=r"one sample takes .* KiB of memory, 0.5 KiB are left"):
        model.predict(images(2))


def test_outputs_without_room_are_refused_with_the_number_that_fits(monkeypatch):
    model = net(L.Conv2D(8, 1))
    monkeypatch.setattr("minicnn.models.evaluation.available_memory", lambda: 5000)
    monkeypatch.setattr("minicnn.models.evaluation.UNASKED", 0)
    assert model.predict(images(5)).shape == (5, 6, 5, 8)
    with pytest.raises(OutOfMemoryError, match=r"outputs of 6 samples take 5.62 KiB .* at most 5 samples at a time"):
        model.predict(images(6))


@pytest.mark.parametrize("error", [MemoryError("Unable to allocate 9 GiB"), OutOfMemoryError("said already")])
def test_an_allocation_that_fails_is_refused_with_the_remedy(error, monkeypatch):
    def fails(*arguments, **options):
        raise error

    model = net(L.Conv2D(8, 3), L.Flatten(), L.Dense(1))
    model.compile("sgd", "mse")
    before, held = [w.numpy().copy() for w in model.weights], model.compilation.memory
    for name, call in (
        ("minicnn.models.plan.plan.Stages", lambda: model.predict(images(2))),
        ("minicnn.models.plan.plan.Stages", lambda: model.evaluate(images(2), np.ones((2, 1)))),
        ("minicnn.models.fitting.train_step", lambda: model.fit(images(2), np.ones((2, 1)))),
        ("minicnn.models.fitting.train_step", lambda: model.train_on_batch(images(2), np.ones((2, 1)))),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(name, fails)
            with pytest.raises(MinicnnError, match=r"of 2 samples .*9 GiB.* make batch_size smaller|said already"):
                call()
    assert model.compilation.memory is not held  # what it kept is free again
    for weight, value in zip(model.weights, before):
        np.testing.assert_array_equal(weight.numpy(), value)
    model.fit(images(2), np.ones((2, 1)), verbose=0)


def test_available_memory_is_what_the_system_and_the_container_leave(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    physical = memory.available_memory()
    assert physical > 1 << 20
    (tmp_path / "meminfo").write_text("MemTotal:  900 kB\nMemAvailable:     500 kB\n")
    assert memory.available_memory() == 500 << 10
    (tmp_path / "memory.current").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("inactive_anon 7\ninactive_file 1000\n")
    for limit, left in (("max", 500 << 10), ("10000", 8000), ("100", 0)):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        assert memory.available_memory() == left


@pytest.mark.parametrize(("size", "words"), [(512, "0.5 KiB"), (5 << 20, "5 MiB"), (3 << 29, "1.5 GiB")])
def test_sizes_in_words(size, words):
    assert memory.in_words(size) == words


LIMITED = """
import resource
import numpy as np
from minicnn import layers as L
from minicnn.errors import OutOfMemoryError
from minicnn.models import Sequential

model = Sequential([L.Input((64, 64, 3)), L.Conv2D(32, 3, padding="same"), L.GlobalAveragePooling2D()])
model.compile("sgd", "mse")
x = np.zeros((1024, 64, 64, 3), np.uint8)
model.train_on_batch(x[:2], np.zeros((2, 32)))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
try:
    model.train_on_batch(x, np.zeros((1024, 32)))
except OutOfMemoryError as error:
    print(str(error).count("make batch_size smaller"))
model.train_on_batch(x[:8], np.zeros((8, 32)))
model.predict(x, 1024)  # takes a slice at a time through the layer with the large output
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are Linux'")
def test_a_process_without_memory_refuses_and_goes_on():
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]
