"""The pool of threads: shared by callers, replaced after a fork, honest about errors; same bits for any size."""

import atexit
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minicnn import kernels
from minicnn.kernels import _threads as threads
from minicnn.layers import BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.optimizers import SGD
from minicnn.utils import set_random_seed

jit = pytest.importorskip("minicnn.kernels._jit").jit
pytestmark = [
    pytest.mark.usefixtures("same_threads_afterwards"),
    pytest.mark.skipif(not hasattr(jit(lambda: 0), "py_func"), reason="without the JIT there is no pool"),
]
ENOUGH = threads.SERIAL_WORK  # work from which blocks are shared out


@jit
def count_calls(start, stop, sizes, out):
    """Each call writes its own size to its blocks, after some work."""
    for i in range(start, stop):
        value = 1.0
        for _ in range(20_000):
            value = value * 0.5 + 1.0
        sizes[i] = stop - start
        out[i] = value


@jit
def squares(start, stop, x, y):
    for i in range(start, stop):
        y[i] = x[i] * x[i]


@jit
def allocates_too_much(start, stop, bad, y):
    for i in range(start, stop):
        y[i] = 1
        if i == bad:
            np.empty(1 << 58, np.float32)[0] = y[i]


def alive() -> int:
    """Number of threads in pools."""
    return sum(thread.name == "minicnn-kernel" for thread in threading.enumerate())


def comes_to(count: int) -> bool:
    """Whether that many are alive soon: threads of an earlier pool may still be ending."""
    deadline = time.monotonic() + 5
    while alive() != count and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive() == count


def comes_to_sleep(pool, count: int) -> bool:
    """Whether that many helpers sleep soon."""
    deadline = time.monotonic() + 10
    while len(pool._asleep) != count and time.monotonic() < deadline:
        time.sleep(0.001)
    return len(pool._asleep) == count


def parts(blocks: int, work: float) -> set[float]:
    """The numbers of blocks that were taken at a time."""
    sizes, out = np.zeros(blocks), np.zeros(blocks)
    threads.parallel_for(count_calls, blocks, work, sizes, out)
    np.testing.assert_allclose(out, 2)
    return set(sizes)


def test_every_block_is_computed_and_several_threads_may_take_part():
    kernels.set_num_threads(3)
    assert parts(72, ENOUGH) == {3}
    assert comes_to(2)


@pytest.mark.parametrize(
    ("count", "blocks", "work"), [(1, 60, ENOUGH), (3, 1, ENOUGH), (3, 60, ENOUGH - 1), (3, 60, 1000)]
)
def test_a_small_job_runs_in_the_caller(count, blocks, work):
    kernels.set_num_threads(count)
    assert parts(blocks, work) == {blocks}


def test_no_blocks_are_no_call():
    called = []
    threads.parallel_for(lambda *_: called.append(True), 0, ENOUGH, None)
    assert not called


def test_helpers_take_blocks():
    """A caller that is slow leaves work to others: it is waited for, and all of it is done."""
    from minicnn.kernels import _pool

    kernels.set_num_threads(2)
    x, y = np.arange(64.0), np.zeros(64)
    threads.parallel_for(squares, 64, ENOUGH, x, y)  # compiles, starts the helper
    pool = threads._shared_pool(2)
    pool.state[_pool.TAKEN] = 1
    jobs = threads.Jobs()
    jobs.add(squares, 64, ENOUGH, (x, y))
    y[:] = 0
    jobs.bind()
    function, memory, blocks, _ = jobs.rows[0]
    fields = _pool.FUNCTION, _pool.MEMORY, _pool.BLOCKS, _pool.STEP
    for place, value in zip(fields, (function, memory, blocks, 1)):
        pool.state[place] = value
    counters = pool.state[_pool.NEXT :: _pool.LINE]
    counters[:] = 0, 32
    pool.state[_pool.JOB] = pool.state[_pool.LAST_JOB] + 1  # a job that its caller leaves to the helpers
    pool._wake()
    deadline = time.monotonic() + 10
    while (counters <= (32, 64)).any() and time.monotonic() < deadline:
        pool._wake()
        time.sleep(0.001)
    pool.state[_pool.JOB] = pool.state[_pool.TAKEN] = 0
    np.testing.assert_array_equal(y, x**2)


def test_a_kernel_without_memory_is_an_error_and_the_pool_goes_on():
    kernels.set_num_threads(3)
    y = np.zeros(40)
    for bad in (0, 17, 39):
        with pytest.raises(MemoryError, match="make the batch smaller"):
            threads.parallel_for(allocates_too_much, 40, ENOUGH, bad, y)
        with pytest.raises(MemoryError):
            threads.parallel_for(allocates_too_much, 40, 1, bad, y)
    x = np.arange(40.0)
    threads.parallel_for(squares, 40, ENOUGH, x, y)
    np.testing.assert_array_equal(y, x**2)


def test_several_callers_share_the_pool():
    kernels.set_num_threads(3)
    x = [np.full(50, float(i)) for i in range(8)]

    def call(i: int) -> np.ndarray:
        y = np.zeros(50)
        for _ in range(200):
            y[:] = 0
            threads.parallel_for(squares, 50, ENOUGH, x[i], y)
            assert (y == x[i] ** 2).all()
        return y

    with ThreadPoolExecutor(8) as callers:
        for i, y in enumerate(callers.map(call, range(8))):
            np.testing.assert_array_equal(y, x[i] ** 2)
    assert comes_to(2)


def test_helpers_sleep_when_there_is_nothing_to_do_and_are_woken(monkeypatch):
    from minicnn.kernels import _pool

    serving, serve = [], _pool.serve
    monkeypatch.setattr(_pool, "serve", lambda state, own, last: serving.append(own) or serve(state, own, last))
    kernels.set_num_threads(3)
    x, y = np.arange(50.0), np.zeros(50)
    pool = threads._shared_pool(3)
    for _ in range(3):
        assert comes_to_sleep(pool, 2)
        serving.clear()
        threads.parallel_for(squares, 50, ENOUGH, x, y)
        assert comes_to_sleep(pool, 2)
        assert sorted(serving) == [1, 2]  # each was woken, once
    np.testing.assert_array_equal(y, x**2)


def test_a_job_that_is_not_shared_lets_helpers_sleep():
    kernels.set_num_threads(3)
    x, y = np.arange(50.0), np.zeros(50)
    pool = threads._shared_pool(3)
    assert comes_to_sleep(pool, 2)
    threads.parallel_for(squares, 50, 1, x, y)
    assert len(pool._asleep) == 2
    np.testing.assert_array_equal(y, x**2)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say where a thread may run")
def test_helpers_wake_up_off_the_core_of_their_caller_and_may_then_run_on_all(monkeypatch):
    """Whatever cores a machine has: a thread that is kept off one may use its own again when it has woken up."""
    from minicnn.kernels import _pool

    cores, given = {threading.get_native_id(): {0, 1}, 7: {0}}, []
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: cores[thread])
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, allowed: given.append((thread, allowed)))
    assert _pool._keep_off(1, [*cores]) == {threading.get_native_id(): {0, 1}, 7: {0}}
    assert given == [(threading.get_native_id(), {0}), (7, {0})]
    given.clear()
    assert _pool._keep_off(0, [7]) == {}  # it has no other
    assert _pool._keep_off(_pool.UNKNOWN, [*cores]) == {}
    assert given == []
    monkeypatch.undo()
    kernels.set_num_threads(3)
    x, y = np.arange(50.0), np.zeros(50)
    pool = threads._shared_pool(3)
    for _ in range(3):
        assert comes_to_sleep(pool, 2)
        sleepers = list(pool._asleep)
        threads.parallel_for(squares, 50, ENOUGH, x, y)
        deadline = time.monotonic() + 10
        while pool._cores and time.monotonic() < deadline:
            time.sleep(0.001)
        assert [os.sched_getaffinity(thread) for thread in sleepers] == [os.sched_getaffinity(0)] * 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not say where a thread may run")
def test_a_helper_whose_cores_are_gone_helps_on(monkeypatch):
    from minicnn.kernels import _pool

    kernels.set_num_threads(3)
    x, y = np.arange(50.0), np.zeros(50)
    pool = threads._shared_pool(3)
    nowhere = {1023}
    with pytest.raises(OSError, match="Invalid argument"):
        os.sched_setaffinity(0, nowhere)
    monkeypatch.setattr(_pool, "_keep_off", lambda core, sleepers: dict.fromkeys(sleepers, nowhere))
    for _ in range(3):
        assert comes_to_sleep(pool, 2)
        threads.parallel_for(squares, 50, ENOUGH, x, y)
    assert alive() == 2


def test_changing_the_number_of_threads_ends_the_old_ones():
    x, y = np.arange(20.0), np.zeros(20)
    for count in (4, 2, 1):
        kernels.set_num_threads(count)
        threads.parallel_for(squares, 20, ENOUGH, x, y)
        assert comes_to(count - 1)


def test_captured_jobs_run_again_on_what_the_arrays_then_hold():
    x, y, z = np.arange(50.0), np.zeros(50), np.zeros(50)
    with kernels.capture() as jobs:
        threads.parallel_for(squares, 50, ENOUGH, x, y)
        threads.parallel_for(squares, 50, ENOUGH, y, z)
    assert not y.any()
    for count in (1, 3):
        kernels.set_num_threads(count)
        x += 1
        jobs.run()
        np.testing.assert_array_equal(z, x**4)


def convolution() -> np.ndarray:
    """Large enough to be shared out."""
    x = np.random.default_rng(0).standard_normal((2, 24, 24, 16), np.float32)
    w = np.random.default_rng(1).standard_normal((3, 3, 16, 32), np.float32)
    return kernels.conv2d.forward(x, w, padding="same")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_runs_kernels_on_threads_of_its_own():
    kernels.set_num_threads(2)
    expected = convolution()
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(convolution(), expected) and alive() == 1 else 1)
    deadline = time.monotonic() + 60
    status = None
    while status is None and time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        status = status if done else None
        time.sleep(0.01)
    if status is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert status == 0, "the child hangs" if status is None else "the child's result differs, or it had one thread"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_leaves_its_parents_helpers_alone_when_it_ends(monkeypatch):
    kernels.set_num_threads(2)
    parents = threads._shared_pool(2)
    left: list[object] = []
    monkeypatch.setattr(atexit, "unregister", left.append)
    child = os.fork()
    if child == 0:
        os._exit(0 if left == [parents.close] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def network() -> Sequential:
    layers = [
        Input((20, 20, 8)),
        Conv2D(32, 3, padding="same", activation="relu"),
        BatchNormalization(),
        Conv2D(48, 3, strides=2),
        GlobalAveragePooling2D(),
        Dense(5, activation="softmax"),
    ]
    return Sequential(layers)


def trained_and_predicted(x: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    set_random_seed(0)
    model = network()
    model.compile(SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
    model.fit(x, labels, batch_size=8, epochs=2, verbose=0)
    return [model.predict(x), *model.get_weights()]


def test_a_whole_model_trains_and_predicts_the_same_bits_for_any_number_of_threads():
    x = np.random.default_rng(0).standard_normal((24, 20, 20, 8), np.float32)
    labels = np.arange(24) % 5
    results = []
    for count in (1, 2, 3):
        kernels.set_num_threads(count)
        results.append(trained_and_predicted(x, labels))
    for other in results[1:]:
        assert all(a.tobytes() == b.tobytes() for a, b in zip(results[0], other, strict=True))


def test_several_threads_predict_at_once():
    kernels.set_num_threads(2)
    x = np.random.default_rng(0).standard_normal((6, 7, 20, 20, 8), np.float32)
    model = network()
    expected = [model.predict(batch) for batch in x]
    barrier = threading.Barrier(6)

    def predict(batch: np.ndarray) -> list[np.ndarray]:
        barrier.wait(30)
        return [model.predict(batch) for _ in range(5)]

    with ThreadPoolExecutor(6) as callers:
        for outputs, y in zip(callers.map(predict, x), expected, strict=True):
            assert all(output.tobytes() == y.tobytes() for output in outputs)
