"""Timings take turns, and what is told of them is their median and quartiles."""

import numpy as np
import pytest

from minicnn import kernels
from minicnn.bench import peaks, timing


def test_timings_take_turns_and_slow_ones_are_done_once(monkeypatch):
    called = []
    clock = iter(range(1000))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock) * 0.02)

    def call(name: str):
        return lambda: called.append(name)

    seconds = timing.interleaved({"a": call("a"), "b": call("b")}, rounds=3)
    assert called == ["a", "a", "b", "b", "a", "b", "b", "a", "a", "b"]
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}
    assert len(timing.interleaved({"a": call("a")}, rounds=3, slow=0.001)["a"]) == 1


def test_threads_that_linger_fall_asleep_before_the_next_turn(monkeypatch):
    happened = []
    clock = iter(range(1000))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock) * 0.02)
    monkeypatch.setattr(timing.time, "sleep", happened.append)
    calls = {name: lambda name=name: happened.append(name) for name in ("a", "b")}
    timing.interleaved(calls, rounds=2, lingering=("a",))
    assert happened == ["a", "a", "b", "b", "a", timing.PAUSE, "b", "b", "a", timing.PAUSE]


def test_a_quick_call_is_repeated_and_told_for_one(monkeypatch):
    called = []
    clock = iter(range(1000))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock) * 0.001)
    seconds = timing.interleaved({"a": lambda: called.append(1)}, rounds=1)
    assert len(called) == 2 + 1 + 5
    assert seconds["a"] == [pytest.approx(0.001 / 5)]


def test_the_ratio_is_that_of_neighbours():
    assert timing.median_ratio([2.0, 20.0, 3.0], [1.0, 10.0, 1.0]) == 2.0


@pytest.mark.usefixtures("same_threads_afterwards")
def test_the_number_of_threads_is_put_back():
    before = kernels.get_num_threads()
    with timing.threads(before + 1) as count:
        assert count == kernels.get_num_threads() == before + 1
    assert kernels.get_num_threads() == before
    with timing.threads(None) as count:
        assert count == before


@pytest.mark.numpy_only
def test_the_peaks_are_measured_and_say_by_what(monkeypatch):
    monkeypatch.setattr(peaks, "SIDE", 32)
    monkeypatch.setattr(peaks, "STREAMED", 1 << 10)
    if kernels.numba_wanted():
        from minicnn.kernels import _peaks

        monkeypatch.setattr(_peaks, "PRODUCTS", 2)
        monkeypatch.setattr(_peaks, "STREAMED", 1 << 17)
    found = peaks.measure(rounds=1)
    assert found.flops > 0
    assert found.bytes > 0
    assert found.source == ("register tile, row sums" if kernels.numba_wanted() else "BLAS, NumPy")
    assert set(found.as_json()) == {"gflops", "gb_per_s", "source"}


def test_the_streamed_sums_are_those_of_the_rows():
    """Else a kernel that reads less than it says would look fast."""
    pytest.importorskip("numba")
    from minicnn.kernels import _peaks

    x = np.random.default_rng(0).integers(0, 9, (2, 8, _peaks.WIDTH)).astype(np.float32)
    sums = np.zeros((2, _peaks.WIDTH), np.float32)
    getattr(_peaks._stream, "py_func", _peaks._stream)(0, 2, x, sums)
    np.testing.assert_array_equal(sums, x.sum(axis=1))
