"""Two results against each other: what became faster or slower by more than the noise."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from minicnn.errors import ArgumentError, FileAccessError, FileFormatError

IDENTITY = ("op", "direction", "case", "shape", "rung", "model", "task", "size", "batch", "precision", "threads")
WORDS = {"size": "size {}", "batch": "batch {}", "threads": "{} threads"}


class Timing(NamedTuple):
    """A median, and the quartiles around it where they were kept, of more than one sample."""

    seconds: float
    quartiles: tuple[float, float] | None


class Difference(NamedTuple):
    """One thing that both results have timed; `real`: whether more than the noise, None where that is not known."""

    what: str
    old: float
    new: float
    real: bool | None

    @property
    def ratio(self) -> float:
        """How many times as fast the new one is."""
        return self.old / self.new


def read(path: str) -> dict[str, Any]:
    """A result: what `minicnn bench ... --json` prints, or a file that benchmarks/ wrote.

    Raises
    ------
    FileAccessError, FileFormatError
    """
    try:
        result: Any = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:
        result = {}
    rows = result.get("rows") if isinstance(result, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "seconds" in row for row in rows):
        raise FileFormatError(f"{path} is no result of minicnn bench --json or of benchmarks/")
    return {**result, "path": path}


def timings(result: dict[str, Any]) -> dict[str, Timing]:
    """Every timing of a result, by what was timed.

    Raises
    ------
    FileFormatError
        Times that are no positive numbers.
    """
    found: dict[str, Timing] = {}
    for row in result["rows"]:
        known = {"threads": result.get("threads"), **row}
        words = [_in_words(name, known[name]) for name in IDENTITY if known.get(name) is not None]
        engines, spreads = ({"": v} if not isinstance(v, dict) else v for v in (row["seconds"], row.get("quartiles")))
        for engine, seconds in engines.items():
            around = spreads.get(engine)
            if not _positive([seconds]) or not (around is None or (_positive(around) and len(around) == 2)):
                raise FileFormatError(f"{result['path']}: {', '.join(words)} has times that are no positive numbers")
            noise = None if around is None or _is_single(row, engine, around) else tuple(around)
            found[", ".join([*words, engine] if engine else words)] = Timing(seconds, noise)
    return found


def _is_single(row: dict[str, Any], engine: str, around: list[float]) -> bool:
    """Whether one sample was taken; where a result does not say how many, its quartiles are that sample then."""
    runs = row.get("runs", row.get("rounds"))
    runs = runs.get(engine) if isinstance(runs, dict) else runs
    return around[0] == around[1] if runs is None else runs == 1


def _in_words(name: str, value: Any) -> str:
    return "1 thread" if (name, value) == ("threads", 1) else WORDS.get(name, "{}").format(value)


def _positive(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(n) in (int, float) and 0 < n < math.inf for n in numbers)


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    """What both results have timed.

    Raises
    ------
    ArgumentError
        They have nothing in common, or one of them is of the emulator.
    """
    for result in (old, new):
        if result.get("emulated"):
            raise ArgumentError(f"{result['path']} was measured in the emulator of a GPU: its times mean nothing")
    before, after = timings(old), timings(new)
    both = [what for what in before if what in after]
    if not both:
        raise ArgumentError(
            f"{old['path']} and {new['path']} have timed nothing in common (the same thing on as many threads)"
        )
    return [
        Difference(what, before[what].seconds, after[what].seconds, real(before[what], after[what])) for what in both
    ]


def real(old: Timing, new: Timing) -> bool | None:
    """Whether the ranges between the quartiles lie apart.

    >>> real(Timing(1.0, (0.9, 1.1)), Timing(1.1, (1.0, 1.2))), real(Timing(1.0, (0.9, 1.1)), Timing(2.0, (1.9, 2.1)))
    (False, True)
    """
    if old.quartiles is None or new.quartiles is None:
        return None
    return new.quartiles[0] > old.quartiles[1] or new.quartiles[1] < old.quartiles[0]
