"""Work on several cores: a pool of threads that takes blocks of a kernel's outputs.

A compiled kernel releases the interpreter lock and has the form `kernel(start, stop, *arrays)`: it computes the
blocks start..stop-1 of its output, each the same way whoever computes it.  So the result does not depend on
the number of threads, and a small job simply runs as `kernel(0, blocks, *arrays)` in the caller.

The pool is minicnn's own rather than one of Numba's threading layers: callers in several threads share it
without a lock around the whole kernel, a forked child starts a fresh one, and a kernel is compiled once
instead of once serial and once parallel (docs/decisions/0003-threads.md has the measurements).
"""

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from minicnn.errors import ArgumentError

MAX_THREADS = 1024
SERIAL_WORK = 400_000  # multiply-adds (or elements) below which waking a thread costs more than it saves
STREAMED = 0.25  # work of an element that a kernel only reads, changes a little and writes
CHUNKS_PER_THREAD = 4  # so that a thread that was disturbed does not hold up the others


class _Job:
    """Blocks 0..blocks-1 of one kernel call, handed out in chunks."""

    def __init__(self, kernel: Callable[..., Any], blocks: int, arguments: tuple[Any, ...], threads: int):
        self.kernel, self.blocks, self.arguments = kernel, blocks, arguments
        self.step = -(-blocks // (threads * CHUNKS_PER_THREAD))
        self.next, self.helpers, self.error = 0, 0, None
        self.lock, self.idle = threading.Lock(), threading.Event()
        self.idle.set()

    def join(self) -> bool:
        """Count a helping thread in, unless there is nothing left to do."""
        with self.lock:
            if self.next >= self.blocks:
                return False
            self.helpers += 1
            self.idle.clear()
            return True

    def leave(self) -> None:
        with self.lock:
            self.helpers -= 1
            if not self.helpers:
                self.idle.set()

    def work(self) -> None:
        """Compute chunks until none is left."""
        while True:
            with self.lock:
                start = self.next
                self.next = min(start + self.step, self.blocks)
            if start >= self.blocks:
                return
            self.kernel(start, min(start + self.step, self.blocks), *self.arguments)

    def help(self) -> None:
        """What a pool thread does with the job."""
        if not self.join():
            return
        try:
            self.work()
        except BaseException as error:  # handed to the caller, which raises it
            self.error, self.next = error, self.blocks
        finally:
            self.leave()


class _Pool:
    """Daemon threads that wait for jobs."""

    def __init__(self, helpers: int):
        self.helpers = helpers
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        for _ in range(helpers):
            threading.Thread(target=self._serve, name="minicnn-kernel", daemon=True).start()

    def _serve(self) -> None:
        _local.in_pool = True
        while (job := self.jobs.get()) is not None:
            job.help()

    def close(self) -> None:
        """Let the threads end once they have nothing left to do."""
        for _ in range(self.helpers):
            self.jobs.put(None)

    def run(self, kernel: Callable[..., Any], blocks: int, arguments: tuple[Any, ...]) -> None:
        job = _Job(kernel, blocks, arguments, self.helpers + 1)
        for _ in range(min(self.helpers, blocks - 1)):
            self.jobs.put(job)
        try:
            job.work()
        finally:
            job.next = blocks
            job.idle.wait()
        if job.error is not None:
            raise job.error


_local = threading.local()
_threads: int | None = None
_pool: _Pool | None = None
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
        if _pool is not None:
            _pool.close()
        _threads, _pool = count, None


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
    threads = get_num_threads()
    if threads == 1 or blocks == 1 or work < SERIAL_WORK or getattr(_local, "in_pool", False):
        kernel(0, blocks, *arguments)
    else:
        _shared_pool(threads).run(kernel, blocks, arguments)


def _shared_pool(threads: int) -> _Pool:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = _Pool(threads - 1)
        return _pool


def _forget_pool() -> None:
    """A forked child has none of its parent's threads."""
    global _pool, _pool_lock
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
