"""The pool of threads that take blocks of kernels: compiled code that shares out work without Python.

A helper is a Python thread inside `serve`, which holds no interpreter lock: it watches a number until the caller
publishes a job, takes blocks until none is left, and watches again.  Each thread begins with its own part of the
blocks, the same part in every layer, so that it finds in its cache what it wrote there in the layer before; then it
takes what others have left.  After a while without work a helper goes to sleep in Python, so that an idle program uses
no processor.  Handing a job out and taking it back costs about a microsecond, a hundredth of what waking a thread
costs; the layers of small networks are that short.

What a job consists of is fixed by the shapes alone, and each block is computed the same way whoever computes it, so the
number of threads changes no bit of a result.
"""

import atexit
import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from numba import types

from ._atomics import atomic_add, atomic_load, atomic_store, atomic_swap_if, give_way, relax
from ._bound import call_bound
from ._jit import helper, jit

# Where things are in the state; what different threads write is kept on cache lines of their own.
LINE = 8
JOB, WORKING, TAKEN, FAILED = 0, 1 * LINE, 2 * LINE, 3 * LINE
LAST_JOB, END, FUNCTION, MEMORY, BLOCKS, STEP, THREADS = 4 * LINE, *range(5 * LINE, 5 * LINE + 6)
NEXT = 6 * LINE  # for each thread, the next block of its part

CALLER = np.int64(0)  # the number of the thread that has the job; for a plain 0, a type of its own, code is made anew
OVER = -1  # what a helper returns when the pool has ended
UNKNOWN = -1  # core
RESTS = 20_000  # before a helper goes to sleep: a fraction of a millisecond
PATIENCE = 2_000  # rests of a caller before it gives way to a helper that was put off its core


@helper
def _take_blocks(state, own, function, memory, blocks, step):
    """Compute blocks until none is left: first those of this thread's own part, then what is left of the others'."""
    threads = state[THREADS]
    for turn in range(threads):
        part = (own + turn) % threads
        end = blocks * (part + 1) // threads
        while True:
            first = atomic_add(state, NEXT + part * LINE, step)
            if first >= end:
                break
            if call_bound(function, first, min(first + step, end), memory) != 0:
                atomic_store(state, FAILED, 1)


@jit
def serve(state, own, last):
    """Help, as thread number `own`, with every job after number `last`; the number of the last one seen, or OVER."""
    rests = 0
    while rests < RESTS:
        if atomic_load(state, END) != 0:
            return OVER
        job = atomic_load(state, JOB)
        if job <= last:
            relax()
            rests = 0 if atomic_load(state, TAKEN) != 0 else rests + 1  # its caller has more jobs
            continue
        atomic_add(state, WORKING, 1)
        if atomic_load(state, JOB) == job:  # it is still open, so its caller waits for us
            _take_blocks(state, own, state[FUNCTION], state[MEMORY], state[BLOCKS], state[STEP])
        atomic_add(state, WORKING, -1)
        last, rests = job, 0
    return last


@helper
def _share(state, function, memory, blocks, step):
    """One job, with whoever helps."""
    state[FUNCTION], state[MEMORY], state[BLOCKS], state[STEP] = function, memory, blocks, step
    for part in range(state[THREADS]):
        atomic_store(state, NEXT + part * LINE, blocks * part // state[THREADS])
    job = state[LAST_JOB] + 1  # jobs count up; while none is open, JOB is 0
    state[LAST_JOB] = job
    atomic_store(state, JOB, job)
    _take_blocks(state, CALLER, function, memory, blocks, step)
    atomic_store(state, JOB, 0)
    rests = 0
    while atomic_load(state, WORKING) != 0:
        relax()
        rests += 1
        if rests > PATIENCE:
            give_way()


@jit
def run_jobs(state, jobs):
    """Rows (function, memory, blocks, step) in order; step 0 stands for "all blocks at once".  Not 0 on failure.

    While another caller has the helpers, this one works alone.
    """
    alone = not atomic_swap_if(state, TAKEN, 0, 1)
    failed = 0
    for j in range(len(jobs)):
        function, memory, blocks, step = jobs[j, 0], jobs[j, 1], jobs[j, 2], jobs[j, 3]
        if step == 0 or alone:
            failed |= call_bound(function, 0, blocks, memory)
        else:
            _share(state, function, memory, blocks, step)
    if not alone:
        failed |= atomic_load(state, FAILED)
        atomic_store(state, FAILED, 0)
        atomic_store(state, TAKEN, 0)
    return failed


STATE, TABLE, NUMBER = types.int64[::1], types.int64[:, ::1], types.int64
COMPILED = [(run_jobs, (STATE, TABLE)), (serve, (STATE, NUMBER, NUMBER))]  # with the types of their arguments


@cache
def _core_finder() -> Callable[[], int]:
    """The system's own function that names the core which the calling thread runs on."""
    try:
        return ctypes.CDLL(None).sched_getcpu
    except (OSError, AttributeError, TypeError):  # another system than Linux
        return lambda: UNKNOWN


def _keep_off(core: int, threads: list[int]) -> dict[int, set[int]]:
    """Have sleeping threads wake up on other cores than one; the cores that each may use, where that was changed.

    Linux likes to wake a thread on the core of the one that wakes it.  That one does not sleep, so the helper would
    wait for milliseconds until it is moved, and a small network has been computed by then.
    """
    changed: dict[int, set[int]] = {}
    if core == UNKNOWN or not hasattr(os, "sched_setaffinity"):
        return changed
    for thread in threads:
        with suppress(OSError):  # it has ended
            allowed = os.sched_getaffinity(thread)
            if others := allowed - {core}:
                os.sched_setaffinity(thread, others)
                changed[thread] = allowed
    return changed


class Pool:
    """Daemon threads that help whoever calls `run`."""

    def __init__(self, helpers: int):
        self.state = np.zeros(NEXT + (helpers + 1) * LINE, np.int64)
        self.state[THREADS] = helpers + 1
        self._asleep: dict[int, threading.Lock] = {}  # for each thread that sleeps, what it waits for
        self._cores: dict[int, set[int]] = {}  # those that threads may use again when they have woken up
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._help, args=(own,), name="minicnn-kernel", daemon=True)
            for own in range(1, helpers + 1)
        ]
        for thread in self._threads:
            thread.start()
        if helpers:
            atexit.register(self.close)

    def _help(self, own: int) -> None:
        last: Any = 0
        thread, bell = threading.get_native_id(), threading.Lock()
        bell.acquire()
        while (last := serve(self.state, own, last)) != OVER:
            with self._lock:
                if self.state[END]:
                    return
                self._asleep[thread] = bell
            bell.acquire()
            if thread in self._cores:
                with suppress(OSError):  # this process may use none of them any more
                    os.sched_setaffinity(thread, self._cores[thread])
                del self._cores[thread]

    def _wake(self) -> None:
        with self._lock:
            asleep, self._asleep = self._asleep, {}
            if asleep:
                self._cores |= _keep_off(_core_finder()(), [*asleep])
            for bell in asleep.values():
                bell.release()

    def run(self, jobs: np.ndarray) -> None:
        """All jobs, in order.

        Raises
        ------
        MemoryError
            A kernel could not allocate what it needs.
        """
        if self._asleep and jobs[:, 3].any():  # some are shared out
            self._wake()
        if run_jobs(self.state, jobs):
            raise MemoryError("a kernel ran out of memory: make the batch smaller")

    def close(self) -> None:
        """End the threads."""
        self.state[END] = 1
        self._wake()
        for thread in self._threads:
            thread.join(1.0)
        atexit.unregister(self.close)
