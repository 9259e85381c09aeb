"""The pool of threads: shared by callers, replaced after a fork, honest about errors; same bits for any size."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import ArgumentError
from minicnn.kernels import _threads as threads
from minicnn.layers import BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.optimizers import SGD
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only
ENOUGH = threads.SERIAL_WORK  # work from which blocks are shared out


@pytest.fixture(autouse=True)
def same_threads_afterwards():
    before = threads._threads
    yield
    kernels.set_num_threads(before or kernels.get_num_threads())
    threads._threads = before


def fill(start: int, stop: int, out: np.ndarray) -> None:
    """A kernel in plain Python: writes its blocks and who computed them."""
    time.sleep(0.001)
    out[start:stop] = threading.get_ident()


def squares(start: int, stop: int, x: np.ndarray, y: np.ndarray) -> None:
    y[start:stop] = x[start:stop] ** 2


def alive() -> int:
    """Number of threads in pools."""
    return sum(thread.name == "minicnn-kernel" for thread in threading.enumerate())


def comes_to(count: int) -> bool:
    """Whether that many are alive soon: threads of an earlier pool may still be ending."""
    deadline = time.monotonic() + 5
    while alive() != count and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive() == count


def test_every_block_is_computed_by_someone_and_several_take_part():
    kernels.set_num_threads(3)
    out = np.zeros(60, np.int64)
    threads.parallel_for(fill, 60, ENOUGH, out)
    assert (out != 0).all()
    assert len(set(out)) > 1


@pytest.mark.parametrize(
    ("count", "blocks", "work"), [(1, 60, ENOUGH), (3, 1, ENOUGH), (3, 60, ENOUGH - 1), (3, 60, 1000)]
)
def test_a_small_job_runs_in_the_caller(count, blocks, work):
    kernels.set_num_threads(count)
    out = np.zeros(blocks, np.int64)
    threads.parallel_for(fill, blocks, work, out)
    assert set(out) == {threading.get_ident()}


def test_no_blocks_are_no_call():
    threads.parallel_for(fill, 0, ENOUGH, None)


def test_an_error_in_any_block_reaches_the_caller_and_the_pool_goes_on():
    kernels.set_num_threads(3)

    def fails(start: int, stop: int, bad: int) -> None:
        time.sleep(0.001)
        if start <= bad < stop:
            raise ZeroDivisionError(f"block {bad}")

    for bad in (0, 17, 39):
        with pytest.raises(ZeroDivisionError, match=f"block {bad}"):
            threads.parallel_for(fails, 40, ENOUGH, bad)
    x = np.arange(40.0)
    y = np.zeros(40)
    threads.parallel_for(squares, 40, ENOUGH, x, y)
    np.testing.assert_array_equal(y, x**2)


def test_no_block_of_a_failed_job_is_still_running_when_its_error_arrives():
    kernels.set_num_threads(4)
    running = []

    def fails(start: int, stop: int) -> None:
        running.append(start)
        time.sleep(0.02 if start else 0.005)
        running.remove(start)
        if start == 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        threads.parallel_for(fails, 16, ENOUGH)
    assert running == []


def test_several_callers_share_the_pool():
    kernels.set_num_threads(3)
    x = [np.full(50, float(i)) for i in range(8)]

    def call(i: int) -> np.ndarray:
        y = np.zeros(50)
        for _ in range(20):
            y[:] = 0
            threads.parallel_for(squares, 50, ENOUGH, x[i], y)
        return y

    with ThreadPoolExecutor(8) as callers:
        for i, y in enumerate(callers.map(call, range(8))):
            np.testing.assert_array_equal(y, x[i] ** 2)
    assert comes_to(2)


def test_a_kernel_within_a_kernel_of_the_pool_runs_where_it_is(monkeypatch):
    kernels.set_num_threads(2)
    sharers = set()
    shared = threads._shared_pool
    monkeypatch.setattr(threads, "_shared_pool", lambda n: sharers.add(threading.current_thread().name) or shared(n))

    def outer(start: int, stop: int, x: np.ndarray, y: np.ndarray) -> None:
        time.sleep(0.001)
        for i in range(start, stop):
            threads.parallel_for(squares, x.shape[1], ENOUGH, x[i], y[i])

    x = np.random.default_rng(0).random((40, 30))
    y = np.zeros_like(x)
    threads.parallel_for(outer, 40, ENOUGH, x, y)
    np.testing.assert_array_equal(y, x**2)
    assert sharers == {threading.current_thread().name}


def test_changing_the_number_of_threads_ends_the_old_ones():
    for count in (4, 2, 1):
        kernels.set_num_threads(count)
        threads.parallel_for(fill, 20, ENOUGH, np.zeros(20, np.int64))
        assert comes_to(count - 1)


def test_the_number_of_threads_comes_from_the_program_then_the_environment_then_the_cores(monkeypatch):
    kernels.set_num_threads(5)
    monkeypatch.setenv("MINICNN_NUM_THREADS", "3")
    assert kernels.get_num_threads() == 5
    monkeypatch.setattr(threads, "_threads", None)
    assert kernels.get_num_threads() == 3
    monkeypatch.delenv("MINICNN_NUM_THREADS")
    assert kernels.get_num_threads() == threads.available_cores() >= 1
    for text in ("0", "-1", "two", "1.5", "1025"):
        monkeypatch.setenv("MINICNN_NUM_THREADS", text)
        with pytest.raises(ArgumentError, match="MINICNN_NUM_THREADS is"):
            kernels.get_num_threads()
    with pytest.raises(ArgumentError, match="from 1 to 1024; it is 0"):
        kernels.set_num_threads(0)


def convolution() -> np.ndarray:
    """Large enough to be shared out."""
    x = np.random.default_rng(0).standard_normal((2, 24, 24, 16), np.float32)
    w = np.random.default_rng(1).standard_normal((3, 3, 16, 32), np.float32)
    return kernels.conv2d.forward(x, w, padding="same")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_runs_kernels_on_threads_of_its_own():
    kernels.set_num_threads(2)
    expected, out = convolution(), np.zeros(20, np.int64)
    threads.parallel_for(fill, 20, ENOUGH, out)
    child = os.fork()
    if child == 0:
        threads.parallel_for(fill, 20, ENOUGH, out)
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
