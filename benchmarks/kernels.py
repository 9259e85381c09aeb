"""Time every rung of every operation on layers of well-known networks: results/kernels/OPERATION.json.

    python -m benchmarks.kernels --op conv2d --rounds 9

Rungs of one case are checked, then timed in turns; the result is the median.  The peaks of the machine are measured in
the same run.  An operation is written when all of its cases are timed.
"""

import sys
from typing import Any

from minicnn.bench import peaks, rungs

from .kernel_cases import LAYERS, cases
from .measuring import RESULTS, command_line, save

NAME = "kernels"


def measured(op: str, text: str, rounds: int, slow: float) -> list[dict[str, Any]]:
    """A row for every rung, of all cases of an operation whose names contain a text."""
    rows: list[dict[str, Any]] = []
    for case in cases(op):
        if text in case.name:
            found = rungs.measure(case, rungs.wanted(case, None), rounds, slow)
            rows += found
            rates = ", ".join(f"{row['rung']} {row['rate']:.3g}" for row in found)
            print(f"{case.op} {case.direction}, {case.name}: {rates} {case.unit}", file=sys.stderr, flush=True)
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = command_line(NAME, __doc__, f"{NAME}/OPERATION")
    one = "time this one alone; may be repeated"
    parser.add_argument("--op", action="append", choices=LAYERS, metavar="NAME", help=one)
    parser.add_argument("--case", default="", help="time cases whose name contains this text; needs --out")
    parser.add_argument("--rounds", type=int, default=7, help="timings of each rung (default 7)")
    slow = "a rung slower than S seconds is timed once"
    parser.add_argument("--slow", type=float, default=1.0, metavar="S", help=slow)
    options = parser.parse_args(argv)
    if options.case and options.out.resolve() == RESULTS.resolve():
        parser.error("a result there is of all cases of its operation: choose a folder for --case with --out")
    bounds = peaks.measure().as_json()
    for op in options.op or LAYERS:
        if rows := measured(op, options.case, options.rounds, options.slow):
            save(f"{NAME}/{op}", {"peaks": bounds, "rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
