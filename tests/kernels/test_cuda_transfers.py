"""Copies beside computing, on streams whose work is done in any order that CUDA allows."""

import sys

import numpy as np
import pytest
from fake_cupy import FakeCupy
from hypothesis import given
from hypothesis import strategies as st

from minicnn.kernels._cuda import CupyDevice
from minicnn.kernels._gpu import transfers

pytestmark = [
    pytest.mark.cuda_compile,
    pytest.mark.skipif(sys.platform != "linux", reason="NVRTC is installed with the tests on Linux only"),
]
sizes = st.lists(st.integers(0, 40), min_size=1, max_size=8)
seeds = st.integers(0, 2**32)


@pytest.fixture(autouse=True)
def small_slots(monkeypatch):
    """Slots that grow, and arrays that go in pieces."""
    monkeypatch.setattr(transfers, "SMALLEST", 16)
    monkeypatch.setattr(transfers, "LARGEST", 64)


@pytest.fixture(scope="module")
def make():
    """A device on streams of a seed."""

    def made(seed: int | None) -> CupyDevice:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "cupy", FakeCupy(seed=seed))
            return CupyDevice()

    return made


def numbers(count: int, first: int) -> np.ndarray:
    return np.arange(first, first + 3 * count, dtype=np.float32).reshape(count, 3)


@given(sizes=sizes, seed=seeds)
def test_batches_pass_through_one_place_in_their_order(make, sizes, seed):
    """As a plan does it: batch, work that reads it, outputs that are asked for after the next batch has been begun."""
    device, begun, got = make(seed), [], []
    place = device.xp.empty((max(sizes), 3), np.float32)
    for step, size in enumerate(sizes):
        batch = numbers(size, 100 * step)
        device.write(place[:size], batch)
        batch[...] = -1  # it is the caller's again
        output = device.xp.empty((size, 3), np.float32)
        output[...] = place[:size]
        begun.append(device.fetch(output))
        if step:
            got.append(begun.pop(0)())
    got += [finish() for finish in begun]
    for step, (size, outputs) in enumerate(zip(sizes, got, strict=True)):
        np.testing.assert_array_equal(outputs, numbers(size, 100 * step))


@given(sizes=sizes, seed=seeds)
def test_arrays_are_brought_there_and_back_at_once(make, sizes, seed):
    device = make(seed)
    there = [device.from_host(numbers(size, 7 * size)) for size in sizes]
    for size, array in zip(sizes, there, strict=True):
        np.testing.assert_array_equal(device.fetch(array)(), numbers(size, 7 * size))


@given(seed=seeds)
def test_slots_that_grow_give_back_what_nobody_reads(make, seed):
    device = make(seed)
    sizes = [1, 1, 2, 2, 4, 4]
    there = [device.from_host(numbers(size, size)) for size in sizes]
    for size, array in zip(sizes, there, strict=True):
        np.testing.assert_array_equal(device.to_host(array), numbers(size, size))


@given(seed=seeds)
def test_a_slot_waits_for_work_that_has_its_memory_still(make, seed):
    """CuPy's pool gives memory to the next one on a stream before what was launched there for the last one is done."""
    device = make(seed)
    there = device.xp.zeros((6, 3), np.float32)
    spent, output = (device.xp.empty((6, 3), np.float32) for _ in range(2))
    spent[...] = there
    output[...] = spent
    del spent
    place = device.from_host(numbers(5, 1))  # by way of where `spent` was
    np.testing.assert_array_equal(device.to_host(place), numbers(5, 1))
    np.testing.assert_array_equal(device.to_host(output), np.zeros((6, 3)))


@given(seed=seeds)
def test_outputs_that_nobody_asks_for_are_kept_until_they_are_copied(make, seed):
    device = make(seed)
    for step in range(6):
        device.fetch(device.from_host(numbers(4, step)))
    streams = device.xp.streams
    streams.synchronize()  # where each copy looks whether its memory is still there
    assert not any(stream.work for stream in streams.all)


@given(seed=seeds)
def test_values_are_cast_and_any_order_of_the_host_is_taken(make, seed):
    device = make(seed)
    place = device.xp.empty((5, 3), np.float32)
    device.write(place, np.arange(30, dtype=np.uint8).reshape(3, 10).T[::2])
    np.testing.assert_array_equal(device.to_host(place), np.arange(30).reshape(3, 10).T[::2])
    for scalar in (np.float32(3), np.int64(-4)):
        there = device.from_host(np.asarray(scalar))
        assert there.dtype == scalar.dtype
        assert device.fetch(there)() == scalar


@given(seed=seeds)
def test_where_a_slot_has_no_room_an_array_goes_without(make, seed):
    device, place = make(seed), None
    device.xp.streams.limit = 32
    place = device.xp.empty((4, 3), np.float32)
    for step in range(3):
        device.write(place, numbers(4, step))  # 48 bytes
        np.testing.assert_array_equal(device.fetch(place)(), numbers(4, step))
        device.write(place[:2], numbers(2, -step))
        np.testing.assert_array_equal(device.to_host(place[:2]), numbers(2, -step))


def test_the_current_stream_is_the_one_that_is_waited_for(make):
    device = make(None)
    streams = device.xp.streams
    streams.current = streams.stream()
    queued = []
    streams.queue = lambda stream, work: queued.append(stream)
    device.write(device.xp.empty((1, 3), np.float32), numbers(1, 0))
    assert streams.default not in queued
    assert queued.count(streams.current) == 4, "it says when a new slot is free, waits, copies, and says that it has"


@given(seed=seeds)
def test_work_after_a_mark_waits_for_another_stream(make, seed):
    device, done = make(seed), []
    streams = device.xp.streams
    with streams.stream() as first:
        first.do(lambda: done.append("first"))
        mark = device.mark()
    with streams.stream() as second:
        device.after(mark)
        second.do(lambda: done.append("second"))
    streams.synchronize()
    assert done == ["first", "second"]


@given(seed=seeds)
def test_an_array_that_was_waited_for_is_there_for_any_stream(make, seed):
    device = make(seed)
    with device.xp.streams.stream():
        there = device.from_host(numbers(4, 1))
        device.wait()
    with device.xp.streams.stream():
        np.testing.assert_array_equal(device.fetch(there)(), numbers(4, 1))
