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
    """The tables of an operation, with what was measured of it."""
    rows = results["rows"] if results else []
    specs = [spec for spec in kernels.specs() if spec.op == op]
    directions = list(dict.fromkeys(spec.direction for spec in specs))
    peaks = (results or {}).get("peaks")
    parts = [_direction(d, [s for s in specs if s.direction == d], rows, peaks) for d in directions]
    if results:
        parts.append(footnote(results))
    return "\n\n".join(parts)


def footnote(results: dict[str, Any]) -> str:
    """By which command, on which machine and when."""
    facts = results["machine"]
    return (
        f"Measured by `{results['command']}` on {facts['cores']} cores of {facts['processor']} "
        f"({facts['vector instructions'].partition(',')[0]}), numpy {facts['numpy']}, numba {facts['numba']}, "
        f"{facts['date']}. In brackets: times the speed of the rung above it in the table{_of_peak(results)}. "
        "The tiny case is there for the reference; faster rungs would show what a call costs, not what the kernel does."
    )


def _of_peak(results: dict[str, Any]) -> str:
    """What the percentages mean, where there are any."""
    peaks = results.get("peaks")
    if not peaks:
        return ""
    return (
        f", and the share of what the machine reached in the same run: {peaks['gflops']:.0f} GFLOP/s of multiply-adds, "
        f"{peaks['gb_per_s']:.0f} GB/s from memory (Winograd's rungs do fewer operations than are counted, and what "
        "stays in a cache does not wait for memory, so more than 100 % can be right)"
    )


def _direction(
    direction: str, specs: list[KernelSpec], rows: list[dict[str, Any]], peaks: dict[str, Any] | None
) -> str:
    measured = {(row["case"], row["rung"]): row for row in rows if row["direction"] == direction}
    cases = list(dict.fromkeys(case for case, _ in measured))
    shown = [case for case in cases if case == TINY] + [case for case in cases if case != TINY][:COLUMNS]
    titles = [f"{case}, {_unit(case, measured)}" for case in shown]
    lines = [f"### {direction}", "", table_row(["rung", "module", "what it does", *titles])]
    lines.append("|---|---|---|" + "---:|" * len(shown))
    for number, spec in enumerate(specs):
        module = spec.module.rpartition(".")[2] + ".py"
        before = [other.rung for other in specs[:number]]
        cells = []
        for case in shown:
            rates = {rung: row["rate"] for (name, rung), row in measured.items() if name == case}
            peak = _peak(_unit(case, measured), peaks) if case != TINY else None
            cells.append("" if case == TINY and number > 1 else speed(spec.rung, before, rates, peak))
        lines.append(table_row([f"`{spec.rung}`", f"[{module}]({module})", spec.note, *cells]))
    return "\n".join(lines)


def _unit(case: str, measured: dict[tuple[str, str], dict[str, Any]]) -> str:
    return next(row["unit"] for (name, _), row in measured.items() if name == case)


def _peak(unit: str, peaks: dict[str, Any] | None) -> float | None:
    """The bound for rates of a unit, where it was measured."""
    return peaks["gflops" if unit == "GFLOP/s" else "gb_per_s"] if peaks else None


def speed(rung: str, before: list[str], rates: dict[str, float], peak: float | None) -> str:
    """The rate of a rung, its ratio to that of the nearest measured rung below it, and its share of the peak."""
    if rung not in rates:
        return ""
    lower = next((rates[name] for name in reversed(before) if name in rates), None)
    notes = [f"{significant(rates[rung] / lower)}x"] if lower else []
    notes += [f"{100 * rates[rung] / peak:.0f} %"] if peak else []
    return f"{significant(rates[rung])} ({', '.join(notes)})" if notes else significant(rates[rung])


def significant(value: float) -> str:
    """Two significant digits, without an exponent.

    >>> significant(0.0123), significant(4.26), significant(1234.0)
    ('0.012', '4.3', '1200')
    """
    rounded = float(f"{value:.2g}")
    return f"{rounded:.0f}" if rounded >= 10 else f"{rounded:.10f}".rstrip("0").rstrip(".")


def table_row(cells: list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"
