"""Batches that threads make ready while the last ones are used, in bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np

from minicnn.preparation.pillow import quiet_pillow

AHEAD = 2  # batches that are ready or under way while one is used
MAX_THREADS = 8

T = TypeVar("T")


def thread_count(threads: int | None = None) -> int:
    """As many threads as asked for, or as there are processors, at most 8."""
    return threads or min(os.cpu_count() or 1, MAX_THREADS)


def made_ahead(
    portions: Iterable[np.ndarray],
    read: Callable[[int], Any],
    finish: Callable[[np.ndarray, list[Any]], T],
    threads: int | None = None,
) -> Iterator[T]:
    """finish(rows, [read(row) for each row]) for portions of rows in turn, made by threads up to AHEAD portions early.

    What `read` or `finish` raises is raised when its portion's turn comes: of several, the first in the order of rows.
    When the iterator ends, is closed, dropped or interrupted, what no thread has begun is left, and the threads end.
    """
    pool = ThreadPoolExecutor(thread_count(threads), thread_name_prefix="minicnn-data")
    waiting: deque[Future[T]] = deque()
    try:
        with quiet_pillow():
            for rows in portions:
                portion = _Portion(rows, read, finish)
                for place in range(len(rows)):
                    pool.submit(portion.work, place)
                waiting.append(portion.result)
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class _Portion(Generic[T]):
    """One batch under way; the thread that is done with its last row finishes it."""

    def __init__(self, rows: np.ndarray, read: Callable[[int], Any], finish: Callable[[np.ndarray, list[Any]], T]):
        self.rows, self.read, self.finish = rows, read, finish
        self.result: Future[T] = Future()
        self._found: list[Any] = [None] * len(rows)
        self._errors: dict[int, BaseException] = {}
        self._left, self._counting = len(rows), Lock()

    def work(self, place: int) -> None:
        try:
            self._found[place] = self.read(int(self.rows[place]))
        except BaseException as error:  # whatever it is, someone waits for this batch
            self._errors[place] = error
        with self._counting:
            self._left -= 1
            last = not self._left
        if last:
            self._complete()

    def _complete(self) -> None:
        if self._errors:
            self.result.set_exception(self._errors[min(self._errors)])
            return
        try:
            self.result.set_result(self.finish(self.rows, self._found))
        except BaseException as error:
            self.result.set_exception(error)
        self._found = []
