"""What every measurement does alike: time things in turns, say on which machine, write the result as JSON."""

import argparse
import datetime
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
LEAST_SECONDS = 0.005  # a call quicker than this is repeated within one timing


def interleaved(calls: Mapping[str, Callable[[], Any]], rounds: int, slow: float = math.inf) -> dict[str, list[float]]:
    """Seconds of each call, `rounds` times, in turns: what disturbs the machine disturbs all of them.

    Each is called once before, uncounted.  A call that takes longer than `slow` seconds is timed once only.
    """
    first = {name: _once(call) and _once(call) for name, call in calls.items()}
    seconds = {name: [value] if value > slow else [] for name, value in first.items()}
    names = [name for name, value in first.items() if value <= slow]
    for round_ in range(rounds):
        start = round_ % max(1, len(names))
        for name in names[start:] + names[:start]:
            repeats = max(1, math.ceil(LEAST_SECONDS / first[name]))
            begun = time.perf_counter()
            for _ in range(repeats):
                calls[name]()
            seconds[name].append((time.perf_counter() - begun) / repeats)
    return seconds


def _once(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def median_ratio(numerators: list[float], denominators: list[float]) -> float:
    """The median of the ratios of neighbouring timings."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def machine() -> dict[str, Any]:
    """The processor, the versions and the day of a measurement."""
    from minicnn.cli.doctor import examine
    from minicnn.kernels import get_num_threads

    return {
        "processor": examine()["processor"]["model"],
        "vector instructions": examine()["processor"]["vector instructions"],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": get_num_threads(),
        "python": sys.version.split()[0],
        **{package: _version(package) for package in ("numpy", "numba", "minicnn")},
        "date": datetime.date.today().isoformat(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def command_line(name: str, doc: str | None) -> argparse.ArgumentParser:
    """A parser with what all measurements take; its help is the module's docstring."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc, formatter_class=raw)
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help=f"where {name}.json goes")
    return parser


def save(name: str, result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write results/NAME.json: the machine, the command, and the result."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    arguments = [Path(argument).name if os.sep in argument else argument for argument in sys.argv[1:]]
    command = " ".join(["python", "-m", f"benchmarks.{name}", *arguments])
    text = json.dumps({"command": command, "machine": machine(), **result}, indent=1) + "\n"
    beside = path.with_suffix(".part")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)
    print(f"wrote {path}", file=sys.stderr)
    return path


def load(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """What `save` wrote, or None."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None
