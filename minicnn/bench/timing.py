"""Timing things in turns, and what is told of the times: their median, and the quartiles around it."""

import math
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minicnn import kernels

LEAST_SECONDS = 0.005  # a call quicker than this is repeated within one timing
PAUSE = 0.15  # seconds: OpenBLAS' threads keep their cores busy for 0.1 s after each product


def interleaved(
    calls: Mapping[str, Callable[[], Any]], rounds: int, slow: float = math.inf, lingering: Collection[str] = ()
) -> dict[str, list[float]]:
    """Seconds of each call, `rounds` times, in turns: what disturbs the machine disturbs all of them.

    Each is called once before, uncounted, a quick one before each timing.  A call that takes longer than `slow` seconds
    is timed once only.  After `lingering` ones a pause lets their threads fall asleep.
    """
    first = {name: _once(call) and _once(call) for name, call in calls.items()}
    seconds = {name: [value] if value > slow else [] for name, value in first.items()}
    names = [name for name, value in first.items() if value <= slow]
    for round_ in range(rounds):
        start = round_ % max(1, len(names))
        for name in names[start:] + names[:start]:
            repeats = max(1, math.ceil(LEAST_SECONDS / first[name]))
            if repeats > 1:
                calls[name]()
            begun = time.perf_counter()
            for _ in range(repeats):
                calls[name]()
            seconds[name].append((time.perf_counter() - begun) / repeats)
            if name in lingering:
                time.sleep(PAUSE)
    return seconds


def _once(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def median(seconds: list[float]) -> float:
    """The median, to four digits."""
    return four_digits(statistics.median(seconds))


def quartiles(seconds: list[float]) -> list[float]:
    """The first and the third quartile: half of the timings lie between them.

    >>> quartiles([5.0, 1.0, 2.0, 3.0, 4.0]), quartiles([2.0])
    ([2.0, 4.0], [2.0, 2.0])
    """
    if len(seconds) == 1:
        return [four_digits(seconds[0])] * 2
    first, _, third = statistics.quantiles(seconds, n=4, method="inclusive")
    return [four_digits(first), four_digits(third)]


def four_digits(value: float) -> float:
    """The number rounded to four significant digits."""
    return float(f"{value:.4g}")


def median_ratio(numerators: list[float], denominators: list[float]) -> float:
    """The median of the ratios of neighbouring timings."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


@contextmanager
def threads(count: int | None) -> Iterator[int]:
    """Within the block, kernels use `count` threads; as many as before when it is None."""
    before = kernels.get_num_threads()
    if count is not None:
        kernels.set_num_threads(count)
    try:
        yield count or before
    finally:
        if count is not None:
            kernels.set_num_threads(before)
