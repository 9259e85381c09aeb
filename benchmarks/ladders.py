"""The tables of LADDER.md, one for each direction of an operation: its rungs as registered, their speed as measured.

    rung | module | what it does | case: speed, and how many times that of the rung before it | ...

What stands between the markers of a LADDER.md is written by `python -m benchmarks.tables`; the rest is prose.
"""

from pathlib import Path
from typing import Any

from minicnn import kernels
from minicnn.kernels import KernelSpec

from .kernel_cases import TINY

FOLDER = Path(__file__).parents[1] / "kernels"
COLUMNS = 3  # cases in a table, at the most, beside the tiny one


def path(op: str) -> Path:
    return FOLDER / op / "LADDER.md"


def render(op: str, results: dict[str, Any] | None) -> str:
    """The tables of an operation."""
    rows = [row for row in (results or {}).get("rows", []) if row["op"] == op]
    specs = [spec for spec in kernels.specs() if spec.op == op]
    directions = list(dict.fromkeys(spec.direction for spec in specs))
    parts = [_direction(direction, [s for s in specs if s.direction == direction], rows) for direction in directions]
    if rows and results:
        parts.append(footnote(results))
    return "\n\n".join(parts)


def footnote(results: dict[str, Any]) -> str:
    """By which command, on which machine and when."""
    facts = results["machine"]
    return (
        f"Measured by `{results['command']}` on {facts['cores']} cores of {facts['processor']} "
        f"({facts['vector instructions'].partition(',')[0]}), numpy {facts['numpy']}, numba {facts['numba']}, "
        f"{facts['date']}. In brackets: times the speed of the rung above it in the table. The tiny case is there "
        "for the reference; faster rungs would show what a call costs, not what the kernel does."
    )


def _direction(direction: str, specs: list[KernelSpec], rows: list[dict[str, Any]]) -> str:
    measured = {(row["case"], row["rung"]): row for row in rows if row["direction"] == direction}
    cases = list(dict.fromkeys(case for case, _ in measured))
    shown = [case for case in cases if case == TINY] + [case for case in cases if case != TINY][:COLUMNS]
    titles = [f"{case}, {_unit(case, measured)}" for case in shown]
    lines = [f"### {direction}", "", _row(["rung", "module", "what it does", *titles])]
    lines.append("|---|---|---|" + "---:|" * len(shown))
    for number, spec in enumerate(specs):
        module = spec.module.rpartition(".")[2] + ".py"
        before = [other.rung for other in specs[:number]]
        cells = []
        for case in shown:
            rates = {rung: row["rate"] for (name, rung), row in measured.items() if name == case}
            cells.append("" if case == TINY and number > 1 else _speed(spec.rung, before, rates))
        lines.append(_row([f"`{spec.rung}`", f"[{module}]({module})", spec.note, *cells]))
    return "\n".join(lines)


def _unit(case: str, measured: dict[tuple[str, str], dict[str, Any]]) -> str:
    return next(row["unit"] for (name, _), row in measured.items() if name == case)


def _speed(rung: str, before: list[str], rates: dict[str, float]) -> str:
    """The rate of a rung, and its ratio to that of the nearest measured rung below it."""
    if rung not in rates:
        return ""
    lower = next((rates[name] for name in reversed(before) if name in rates), None)
    return f"{significant(rates[rung])} ({significant(rates[rung] / lower)}x)" if lower else significant(rates[rung])


def significant(value: float) -> str:
    """Two significant digits, without an exponent.

    >>> significant(0.0123), significant(4.26), significant(1234.0)
    ('0.012', '4.3', '1200')
    """
    rounded = float(f"{value:.2g}")
    return f"{rounded:.0f}" if rounded >= 10 else f"{rounded:.10f}".rstrip("0").rstrip(".")


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
