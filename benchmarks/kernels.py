"""Time every rung of every operation on layers of well-known networks: results/kernels.json.

    python -m benchmarks.kernels --op conv2d --rounds 9

Rungs of one case are timed in turns; the result is the median.  Cases that are not timed keep their earlier results, if
these come from the same machine and versions.
"""

import statistics
import sys
from functools import partial
from pathlib import Path
from typing import Any

from minicnn import kernels
from minicnn.errors import UnsupportedError

from .kernel_cases import TINY, Case, cases
from .measuring import command_line, interleaved, load, machine, save

NAME = "kernels"
REFERENCE = "reference"


def measure(case: Case, rungs: list[str], rounds: int, slow: float) -> list[dict[str, Any]]:
    """One row for each rung that has the direction."""
    seconds = interleaved({rung: partial(case.call, rung=rung) for rung in rungs}, rounds, slow)
    return [
        {
            "op": case.op,
            "direction": case.direction,
            "case": case.name,
            "shape": case.shape,
            "rung": rung,
            "seconds": float(f"{statistics.median(times):.4g}"),
            "runs": len(times),
            "rate": float(f"{case.work / statistics.median(times) / 1e9:.4g}"),
            "unit": case.unit,
        }
        for rung, times in seconds.items()
    ]


def rungs_of(case: Case) -> list[str]:
    """The rungs of a case's direction that can do it; the reference only where the case is tiny."""
    specs = [spec for spec in kernels.specs() if (spec.op, spec.direction) == (case.op, case.direction)]
    return [spec.rung for spec in specs if (spec.rung != REFERENCE or case.name == TINY) and _can(case, spec.rung)]


def _can(case: Case, rung: str) -> bool:
    try:
        case.call(rung=rung)
    except UnsupportedError:
        return False
    return True


def earlier_rows(folder: Path) -> list[dict[str, Any]]:
    """Rows that were measured before, on this machine and with these versions."""
    found = load(NAME, folder)
    same = found is not None and {**found["machine"], "date": ""} == {**machine(), "date": ""}
    return found["rows"] if found and same else []


def main(argv: list[str] | None = None) -> int:
    parser = command_line(NAME, __doc__)
    parser.add_argument(
        "--op",
        action="append",
        choices=kernels.operations(),
        metavar="NAME",
        help="time this one alone; may be repeated",
    )
    parser.add_argument("--case", help="time cases whose name contains this text")
    parser.add_argument("--rounds", type=int, default=7, help="timings of each rung (default 7)")
    parser.add_argument(
        "--slow", type=float, default=1.0, metavar="S", help="a rung slower than S seconds is timed once"
    )
    options = parser.parse_args(argv)
    earlier = earlier_rows(options.out)
    rows: list[dict[str, Any]] = []
    for case in cases(options.op or kernels.operations()):
        if options.case and options.case not in case.name:
            continue
        found = measure(case, rungs_of(case), options.rounds, options.slow)
        rows += found
        rates = ", ".join(f"{row['rung']} {row['rate']:.3g}" for row in found)
        print(f"{case.op} {case.direction}, {case.name}: {rates} {case.unit}", file=sys.stderr, flush=True)
    timed = {(row["op"], row["direction"], row["case"]) for row in rows}
    kept = [row for row in earlier if (row["op"], row["direction"], row["case"]) not in timed]
    save(NAME, {"rows": sorted(kept + rows, key=lambda row: row["op"])}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
