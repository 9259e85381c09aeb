"""Kernels that several processes compile: each by one of them, all on disk afterwards, and none lost when one fails."""

import io
import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
import numba
from numba.core.serialize import dumps

from minicnn.kernels import _compile_cache, _finish, _jit, _other_processes, _threads
from minicnn.kernels import _compile_together as together
from minicnn.kernels._other_processes import Others

pytestmark = pytest.mark.skipif(_jit.JIT_OFF, reason="nothing is compiled")
NUMBERS = numba.float64[::1]
INDEX = numba.intp


def _double(start, stop, x, y):
    for i in range(start, stop):
        y[i] = 2 * x[i]


def _square(start, stop, x, y):
    for i in range(start, stop):
        y[i] = x[i] * x[i]


def _negate(start, stop, x, y):
    for i in range(start, stop):
        y[i] = -x[i]


def _halve(start, stop, x, y):
    for i in range(start, stop):
        y[i] = x[i] / 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of compiled kernels."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    _compile_cache.compile_cache_folder.cache_clear()
    yield _compile_cache.compile_cache_folder()
    _compile_cache.compile_cache_folder.cache_clear()


@pytest.fixture
def wanted(monkeypatch):
    """Four kernels that nothing has compiled, which two processes share."""
    monkeypatch.setattr(together, "LEAST", 2)
    made = [_jit.kernel(function) for function in (_double, _square, _negate, _halve)]
    yield [together.Wanted(one, (INDEX, INDEX, NUMBERS, NUMBERS), True) for one in made]
    for one in made:
        _jit.kernels.remove(one)


def calls(wanted) -> tuple[list, list[np.ndarray]]:
    """A call of each kernel, and the array that it writes to."""
    x = np.arange(5.0)
    outputs = [np.zeros(5) for _ in wanted]
    return [(one.kernel, (x, y)) for one, y in zip(wanted, outputs)], outputs


def check_results(wanted) -> None:
    made, (doubled, squared, negated, halved) = calls(wanted)
    jobs = _threads.Jobs()
    for kernel, arguments in made:
        jobs.add(kernel, 5, 0, arguments)
    jobs.run()
    x = np.arange(5.0)
    for found, expected in ((doubled, 2 * x), (squared, x**2), (negated, -x), (halved, x / 2)):
        np.testing.assert_array_equal(found, expected)


def test_another_process_fills_the_cache(folder, tmp_path):
    kernel: Any = _finish._finish_rows
    name, numbers = kernel.py_func.__qualname__, numba.float32[::1]
    of_arguments = (INDEX, INDEX, numbers, numbers, numbers, numba.boolean, numba.types.UniTuple(numba.float32, 2))
    with Others() as others:
        others.start(1, folder)
        others.give(dumps((str(tmp_path), [(_finish.__name__, name, of_arguments, True)])))
        assert others.processes[0].wait(120) == 0
    assert (tmp_path / "0").exists()
    kept = [path.name.rpartition("-")[0] for path in folder.iterdir()]
    assert sorted(kept) == ["", name, name]  # the lock, the kernel, and what binds it
    assert together.Wanted(kernel, of_arguments, True).is_kept()


def test_what_others_have_claimed_is_left_to_them(folder, wanted, tmp_path):
    (tmp_path / "1").touch()
    together._compile_claimed(tmp_path, wanted)
    assert [one.is_kept() for one in wanted] == [True, False, True, True]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.isdigit()) == ["0", "1", "2", "3"]
    check_results(wanted)


def test_kernels_that_another_process_made_when_they_were_asked_for_are_left_to_it(
    folder, wanted, tmp_path, monkeypatch
):
    listed = [(__name__, one.kernel.py_func.__qualname__, *one[1:]) for one in wanted]
    listed[1] = (__name__, "made_for_one_shape", *wanted[1][1:])
    stdin = SimpleNamespace(buffer=io.BytesIO(dumps((str(tmp_path), listed))))
    monkeypatch.setattr(sys, "stdin", stdin)
    together.help_compiling()
    assert [one.is_kept() for one in wanted] == [True, False, True, True]
    assert not (tmp_path / "1").exists()


class Idle:
    """A process that claims a kernel and compiles none."""

    def __init__(self):
        self.stdin, self.closed = self, False

    def write(self, message: bytes) -> None:
        if self.closed:
            raise ValueError("write to closed file")
        claims, listed = together.loads(message)
        (Path(claims) / str(len(listed) - 1)).touch()

    def close(self) -> None:
        self.closed = True

    def kill(self) -> None:
        pass

    def wait(self, seconds=None):
        if seconds is not None:
            raise subprocess.TimeoutExpired("helper", 0)


class Ended(Idle):
    """A process that has ended before it was told anything."""

    def write(self, message: bytes) -> None:
        raise BrokenPipeError


def _fail(*_: Any) -> Any:
    raise OSError("too many processes")


@pytest.mark.parametrize(("start", "left"), [(_fail, 0), (Ended, 0), (Idle, 1)])
def test_a_process_that_fails_costs_nothing_but_time(folder, wanted, monkeypatch, start, left):
    monkeypatch.setattr(_other_processes, "_start", start)
    together.compile_together(calls(wanted)[0], 2)
    assert [one.is_kept() for one in wanted] == [True] * (4 - left) + [False] * left
    check_results(wanted)


def test_without_a_folder_for_temporary_files_no_process_is_started(folder, wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    together.compile_together(calls(wanted)[0], 2)
    assert not any(one.is_kept() for one in wanted)
    check_results(wanted)


def test_what_is_no_text_in_the_search_path_is_left_out_as_python_does(monkeypatch):
    environments = []
    monkeypatch.setattr(sys, "path", ["", "/one", Path("/two"), b"/three", "/four"])
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: environments.append(env))
    _other_processes._start()
    assert environments[0]["PYTHONPATH"] == os.pathsep.join(["/one", "/four"])


def test_of_callers_in_several_threads_one_starts_processes(folder, wanted, monkeypatch):
    started = []
    monkeypatch.setattr(_other_processes, "_start", lambda: started.append(Idle()) or started[-1])
    barrier = threading.Barrier(4)

    def call(_: int) -> None:
        barrier.wait(30)
        together.compile_together(calls(wanted)[0], 2)

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(call, range(4)))
    assert len(started) == 1
    check_results(wanted)


def test_there_are_no_more_processes_than_cores(folder, wanted, monkeypatch):
    processes = []
    monkeypatch.setattr(together, "compile_together", lambda calls, most: processes.append(most))
    monkeypatch.setattr(_threads, "get_num_threads", lambda: 16)
    monkeypatch.setattr(_threads, "available_cores", lambda: 3)
    jobs = _threads.Jobs()
    for kernel, arguments in calls(wanted)[0]:
        jobs.add(kernel, 5, 0, arguments)
    jobs.bind()
    assert processes == [3]


def test_within_a_network_others_start_with_its_first_kernel(folder, wanted, monkeypatch):
    """They make ready while it is compiled; they are given the rest, and none is left after it."""
    started: list[Idle] = []
    monkeypatch.setattr(_other_processes, "_start", lambda: started.append(Idle()) or started[-1])
    first, *rest = calls(wanted)[0]
    with _other_processes.compiling_network():
        together.compile_together([first], 2)
        others: Any = _other_processes.started_ahead()
        assert others.processes == started
        together.compile_together(rest, 2)
        assert len(started) == 1
    assert others.processes == []
    assert _other_processes.started_ahead() is None
    together.compile_together([first], 2)
    assert len(started) == 1


def test_what_is_missing_later_in_a_network_is_shared_out_too(folder, wanted, monkeypatch):
    started: list[Idle] = []
    monkeypatch.setattr(together, "LEAST", 1)
    monkeypatch.setattr(_other_processes, "_start", lambda: started.append(Idle()) or started[-1])
    made = calls(wanted)[0]
    with _other_processes.compiling_network():
        together.compile_together(made[:2], 2)
        together.compile_together(made[2:], 2)
    assert len(started) == 2
    check_results(wanted)


def test_few_processes_start_before_it_is_known_what_is_missing(folder, wanted, monkeypatch):
    started: list[Idle] = []
    monkeypatch.setattr(_other_processes, "_start", lambda: started.append(Idle()) or started[-1])
    with _other_processes.compiling_network():
        together.compile_together(calls(wanted)[0][:1], 64)
        assert len(started) == together.AHEAD


def test_a_kernel_alone_starts_no_process(folder, wanted, monkeypatch):
    monkeypatch.setattr(_other_processes, "_start", lambda: pytest.fail("it was started"))
    together.compile_together(calls(wanted)[0][:1], 2)


@pytest.mark.skipif(_other_processes.fcntl is None, reason="files cannot be locked on this system")
def test_of_processes_with_one_cache_one_has_helpers(folder, wanted, monkeypatch):
    monkeypatch.setattr(_other_processes, "_start", Ended)
    with Others() as first, Others() as second:
        first.start(1, folder)
        second.start(1, folder)
        second.start(1, folder)  # a network asks more than once
        assert len(first.processes) == 1
        assert not second.processes
        together.compile_together(calls(wanted)[0], 2)
    assert all(one.is_kept() for one in wanted)
    with Others() as third:
        third.start(1, folder)
        assert third.processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process has no other parent there when its own ends")
def test_a_helper_ends_when_its_parent_is_killed(folder, wanted, tmp_path, monkeypatch):
    parents = iter([7, 7, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    together._compile_claimed(tmp_path, wanted, parent=7)
    assert [one.is_kept() for one in wanted] == [True, True, False, False]


def test_jobs_that_two_threads_bind_at_once_are_bound_once(folder, wanted, monkeypatch):
    barrier = threading.Barrier(2)
    monkeypatch.setattr(together, "compile_together", lambda *a: barrier.wait(30))
    made, outputs = calls(wanted)
    jobs = _threads.Jobs()
    for kernel, arguments in made:
        jobs.add(kernel, 5, 0, arguments)
    with ThreadPoolExecutor(2) as callers:
        list(callers.map(lambda _: jobs.run(), range(2)))
    assert len(jobs.rows) == len(jobs.calls)
    np.testing.assert_array_equal(outputs[0], 2 * np.arange(5.0))


def test_kernels_that_are_kept_start_no_process(folder, wanted, monkeypatch):
    for one in wanted:
        one.compile()
    monkeypatch.setattr(_other_processes, "_start", lambda: pytest.fail("it was started"))
    together.compile_together(calls(wanted)[0], 8)


@pytest.mark.parametrize("executable", ["", None, "/usr/bin/blender", "/opt/python-photos", "/opt/pythonista.exe"])
def test_a_program_that_embeds_python_is_not_started(folder, wanted, monkeypatch, executable):
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(_other_processes, "_start", lambda: pytest.fail("it was started"))
    together.compile_together(calls(wanted)[0], 2)
    check_results(wanted)


@pytest.mark.parametrize(
    "executable", ["/usr/bin/python", "/usr/bin/python3.13t", "C:/Python/pythonw.exe", "/Library/MacOS/Python"]
)
def test_python_is_python(executable, monkeypatch):
    assert _other_processes.is_python(executable)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not _other_processes.is_python(executable)


def test_one_thread_is_one_process(folder, wanted, monkeypatch):
    monkeypatch.setattr(_other_processes, "_start", lambda: pytest.fail("it was started"))
    together.compile_together(calls(wanted)[0], 1)
    assert not any(one.is_kept() for one in wanted)


def test_a_network_that_two_processes_compile_gives_the_same_bits(folder):
    """What is predicted with an empty cache equals what this process predicts."""
    program = (
        "import sys, numpy as np; from minicnn import kernels; kernels.set_num_threads(2);"
        "from minicnn.models import load_model;"
        "print(load_model(sys.argv[1]).predict(np.ones((1, 16, 16, 3), np.float32)).tobytes().hex())"
    )
    from minicnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
    from minicnn.models import Sequential

    model = Sequential(
        [
            Input((16, 16, 3)),
            Conv2D(32, 3, padding="same"),
            Conv2D(32, 3),
            MaxPooling2D(),
            Flatten(),
            Dense(4, "softmax"),
        ]
    )
    path = folder.parent / "model.keras"
    model.save(path)
    found = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == model.predict(np.ones((1, 16, 16, 3), np.float32)).tobytes().hex()
    assert found.stderr == ""
