"""Work on several cores: how many threads there are, and `parallel_for`, which runs a kernel on them.

A compiled kernel has the form `kernel(start, stop, *arrays)`: it computes the blocks start..stop-1 of its output, each
the same way whoever computes it.  So the result does not depend on the number of threads, and a small job simply
runs as `kernel(0, blocks, *arrays)` in the caller.

The pool (`_pool.py`) is minicnn's own rather than one of Numba's threading layers: callers in several threads share it,
a forked child starts a fresh one, and a kernel is compiled once instead of once serial and once parallel
(docs/decisions/0003-threads.md has the measurements).
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError

from ._other_processes import started_ahead

MAX_THREADS = 1024
SERIAL_WORK = 400_000  # multiply-adds (or elements) below which waking a thread costs more than it saves
AWAKE_WORK = 60_000  # the same for threads that are awake, because several kernels follow each other
STREAMED = 0.25  # work of an element that a kernel only reads, changes a little and writes
CHUNKS_PER_THREAD = 8  # so that a thread that was disturbed does not hold up the others


_threads: int | None = None
_pool: Any = None  # a Pool, once one is needed
_pool_lock = threading.Lock()


def available_cores() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_num_threads() -> int:
    """Number of threads that kernels use: set_num_threads, else MINICNN_NUM_THREADS, else one a core."""
    if _threads is not None:
        return _threads
    text = os.environ.get("MINICNN_NUM_THREADS", "")
    if not text:
        return available_cores()
    if not text.isdecimal() or not 1 <= int(text) <= MAX_THREADS:
        raise ArgumentError(f"MINICNN_NUM_THREADS is {text!r}; it must be a number from 1 to {MAX_THREADS}")
    return int(text)


def set_num_threads(count: int) -> None:
    """Use `count` threads from now on.  Results are the same bits for any count."""
    global _threads, _pool
    if not 1 <= count <= MAX_THREADS:
        raise ArgumentError(f"the number of threads must be from 1 to {MAX_THREADS}; it is {count}")
    with _pool_lock:
        old, _threads, _pool = _pool, count, None
    if old is not None:
        old.close()


class Jobs:
    """Kernels bound to their arguments, to be run in order, again and again.

    What they read and write is fixed: the arrays that they were captured with.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Any, int, float, tuple[Any, ...]]] = []
        self.plain: list[tuple[Any, int, tuple[Any, ...]]] = []  # kernels that are not compiled: the JIT is off
        self.rows: list[tuple[int, int, int, float]] = []  # the first of `calls`, bound
        self.kept: list[np.ndarray] = []  # the memory that describes their arguments
        self.table: tuple[int, np.ndarray] | None = None

    def add(self, kernel: Any, blocks: int, work: float, arguments: tuple[Any, ...]) -> None:
        """Run one more kernel."""
        if hasattr(kernel, "py_func"):
            self.calls.append((kernel, blocks, work, arguments))
        else:
            self.plain.append((kernel, blocks, arguments))

    def extend(self, other: Jobs) -> None:
        """Run what `other` runs too, after these."""
        self.calls += other.calls
        self.plain += other.plain

    def bind(self) -> None:
        """Bind those that are not bound yet; what has to be compiled for several is compiled on several cores."""
        from ._bound import ROOM, binder
        from ._compile_together import compile_together

        waiting = self.calls[len(self.rows) :]
        if len(waiting) > 1 or started_ahead() is not None:
            processes = min(get_num_threads(), available_cores())
            compile_together([(kernel, arguments) for kernel, _, _, arguments in waiting], processes)
        bound = []
        for kernel, blocks, work, arguments in waiting:
            memory = np.empty(ROOM, np.uint8)
            function = binder(kernel)(memory, *arguments)
            self.kept.append(memory)
            bound.append((function, memory.ctypes.data, blocks, work))
        self.rows = self.rows[: len(self.calls) - len(waiting)] + bound  # in one step: another thread may bind them too
        self.table = None

    def run(self) -> None:
        """Run all of them."""
        with np.errstate(all="ignore"):  # as compiled code does
            for kernel, blocks, arguments in self.plain:
                kernel(0, blocks, *arguments)
        if not self.calls:
            return
        if len(self.rows) < len(self.calls):
            self.bind()
        threads = get_num_threads()
        table = self.table
        if table is None or table[0] != threads:
            least = SERIAL_WORK if len(self.rows) == 1 else AWAKE_WORK
            steps = [_step(blocks, work, least, threads) for _, _, blocks, work in self.rows]
            table = self.table = threads, np.array([(*row[:3], step) for row, step in zip(self.rows, steps)], np.int64)
        _shared_pool(threads).run(table[1])


_captured: ContextVar[Jobs | None] = ContextVar("minicnn_captured_jobs", default=None)


@contextmanager
def capture() -> Iterator[Jobs]:
    """Within the block, kernels of this thread are bound to their arguments and not run.

    A rung that does not work by `parallel_for` alone raises UnsupportedError.
    """
    jobs = Jobs()
    token = _captured.set(jobs)
    try:
        yield jobs
    finally:
        _captured.reset(token)


def capturing() -> bool:
    """Whether this code runs within `capture`."""
    return _captured.get() is not None


def parallel_for(kernel: Callable[..., Any], blocks: int, work: float, *arguments: Any) -> None:
    """Run `kernel(start, stop, *arguments)` over all blocks, on several threads when `work` is worth it.

    Parameters
    ----------
    kernel : compiled function that writes the outputs of blocks start..stop-1 and nothing else
    blocks : number of blocks, a function of the shapes alone
    work : multiply-adds or elements of the whole call
    """
    if blocks < 1:
        return
    jobs = _captured.get()
    if jobs is not None:
        jobs.add(kernel, blocks, work, arguments)
        return
    jobs = Jobs()
    jobs.add(kernel, blocks, work, arguments)
    jobs.run()


def _step(blocks: int, work: float, least: float, threads: int) -> int:
    """Blocks that a thread takes at a time; 0 when one thread is to take them all, as less than the `least` work."""
    if threads == 1 or blocks == 1 or work < least:
        return 0
    return -(-blocks // (threads * CHUNKS_PER_THREAD))


def _shared_pool(threads: int) -> Any:
    global _pool
    with _pool_lock:
        if _pool is None:
            from ._pool import Pool

            _pool = Pool(threads - 1)
        return _pool


def _forget_pool() -> None:
    """A forked child has none of its parent's threads, and neither ends nor wakes them when it ends."""
    global _pool, _pool_lock
    if _pool is not None:
        atexit.unregister(_pool.close)
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
