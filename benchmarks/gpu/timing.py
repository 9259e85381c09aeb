"""Timing on a device: calls return before the work is done, so a sample is many calls and one wait."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minicnn.bench.timing import median, quartiles

Call = Callable[[], Any]
MOST_CALLS = 100_000  # in a sample


class Pace(NamedTuple):
    """How often each call is timed: `rounds` samples of at least so many seconds, or one where a call is `slow`."""

    rounds: int
    sample: float
    slow: float


def nothing(what: str) -> None:
    """Where nobody asks what is run next."""


def in_turns(
    calls: Mapping[str, Call], wait: Call, pace: Pace, begin: Callable[[str], None] = nothing
) -> dict[str, list[float]]:
    """Seconds of each call, in turns: what changes the clocks of the device changes them for all.

    `wait` returns when all that was called is done, `begin` is told the name of what is called next.  Each is called
    before, uncounted, until a sample is long enough.
    """
    counts, seconds = {}, {}
    for name, call in calls.items():
        begin(name)
        counts[name], first = _calls_of_a_sample(call, wait, pace.sample)
        seconds[name] = [first] if first > pace.slow else []
    names = [name for name in calls if not seconds[name]]
    for round_ in range(pace.rounds):
        start = round_ % max(1, len(names))
        for name in names[start:] + names[:start]:
            begin(name)
            calls[name]()  # the caches and clocks are those of this call, not of the one before
            wait()
            seconds[name].append(_sample(calls[name], wait, counts[name]) / counts[name])
    return seconds


def told(times: list[float]) -> tuple[float, list[float]]:
    """The median and the quartiles."""
    return median(times), quartiles(times)


def _calls_of_a_sample(call: Call, wait: Call, least: float) -> tuple[int, float]:
    """How many calls take so many seconds, and the seconds of one."""
    call()
    wait()
    count = 1
    while True:
        passed = _sample(call, wait, count)
        if passed >= least or count >= MOST_CALLS:
            return count, passed / count
        wanted = math.ceil(1.2 * count * least / passed)
        count = min(max(2 * count, min(wanted, 10 * count)), MOST_CALLS)


def _sample(call: Call, wait: Call, count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        call()
    wait()
    return time.perf_counter() - begun
