"""Time every rung of every operation on layers of well-known networks: results/kernels.json.

    python -m benchmarks.kernels --op conv2d --rounds 9

Rungs of one case are checked, then timed in turns; the result is the median.  The peaks of the machine are measured in
the same run.  Cases that are not timed keep their earlier results, if these come from the same machine and versions.
"""

import sys
from pathlib import Path
from typing import Any

from minicnn import kernels
from minicnn.bench import peaks, rungs
from minicnn.bench.machine import facts

from .kernel_cases import cases
from .measuring import command_line, load, save

NAME = "kernels"


def earlier_rows(folder: Path) -> list[dict[str, Any]]:
    """Rows that were measured before, on this machine and with these versions."""
    found = load(NAME, folder)
    return found["rows"] if found and _same_machine(found) else []


def _same_machine(found: dict[str, Any]) -> bool:
    return {**found["machine"], "date": ""} == {**facts(), "date": ""}


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
    found = load(NAME, options.out)
    if found and (options.op or options.case) and not _same_machine(found):
        parser.error("the results there are of another machine, other versions or threads: choose a folder with --out")
    earlier = earlier_rows(options.out)
    bounds = peaks.measure()
    rows: list[dict[str, Any]] = []
    for case in cases(options.op or kernels.operations()):
        if options.case and options.case not in case.name:
            continue
        found = rungs.measure(case, rungs.wanted(case, None), options.rounds, options.slow)
        rows += found
        rates = ", ".join(f"{row['rung']} {row['rate']:.3g}" for row in found)
        print(f"{case.op} {case.direction}, {case.name}: {rates} {case.unit}", file=sys.stderr, flush=True)
    timed = {(row["op"], row["direction"], row["case"]) for row in rows}
    kept = [row for row in earlier if (row["op"], row["direction"], row["case"]) not in timed]
    result = {"peaks": bounds.as_json(), "rows": sorted(kept + rows, key=lambda row: row["op"])}
    save(NAME, result, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
