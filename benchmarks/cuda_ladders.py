"""The tables of LADDER.md for a GPU: the rungs of each direction, their least architecture, and how each is checked.

    rung | module | from | what it does | checked | case: speed, times that of the rung before, share of the floor

Speeds are those of the newest result of benchmarks/gpu.py; where none is committed, there are no such columns.
"""

import importlib
from typing import Any

from minicnn import kernels
from minicnn.kernels import KernelSpec
from minicnn.kernels._gpu.file import CudaFile
from minicnn.kernels._shapes import ceil_div

from .gpu_layers import precision_of, rate
from .gpu_table import source
from .kernel_cases import TINY
from .ladders import COLUMNS, speed, table_row

EMULATED = "in the emulator, against the reference"


def render(op: str, result: dict[str, Any] | None) -> str:
    """The tables of an operation; a sentence where it has no rung on a GPU."""
    specs = [spec for spec in kernels.specs("cuda") if spec.op == op]
    if not specs:
        return "There is no kernel for a GPU yet."
    rows = [row for row in (result or {}).get("rows", []) if row.get("op") == op and row["case"] != TINY]
    directions = list(dict.fromkeys(spec.direction for spec in specs))
    parts = [_direction(d, [s for s in specs if s.direction == d], rows) for d in directions]
    if rows and result:
        parts.append(
            f"Measured by {source(result)} In brackets: times the speed of the rung above it in the table, and the "
            "share of what the device's data sheet allows for so many operations and bytes, in numbers of the rung's "
            "precision."
        )
    return "\n\n".join(parts)


def _direction(direction: str, specs: list[KernelSpec], rows: list[dict[str, Any]]) -> str:
    measured = [row for row in rows if row["direction"] == direction]
    shown = measured[
        :: max(1, ceil_div(len(measured), COLUMNS))
    ]  # from all of the list, whose beginning is one network
    titles = [f"{row['case']}: {row['shape']}, {row['unit']}" for row in shown]
    header = ["rung", "module", "from", "what it does", "checked", *titles]
    lines = [f"### {direction} on a GPU", "", table_row(header), "|---|---|---|---|---|" + "---:|" * len(shown)]
    for number, spec in enumerate(specs):
        before = [other.rung for other in specs[:number]]
        cells = [_speed(spec.rung, before, row) for row in shown]
        module = spec.module.rpartition(".")[2] + ".py"
        cells = [f"`{spec.rung}`", f"[{module}]({module})", _target(spec), spec.note, EMULATED, *cells]
        lines.append(table_row(cells))
    return "\n".join(lines)


def _speed(rung: str, before: list[str], row: dict[str, Any]) -> str:
    """The rate of a rung on a case, its ratio to that of the rung below, and its share of the floor's rate."""
    rates = {name: rate(row, name) for name in row["seconds"]}
    floor = row["floors"].get(precision_of(rung))
    return speed(rung, before, rates, row["work"] / floor if floor else None)


def _target(spec: KernelSpec) -> str:
    """The oldest architecture that runs a rung; none where it is not a kernel of ours."""
    module: Any = importlib.import_module(spec.module)
    targets = [value.target for value in vars(module).values() if isinstance(value, CudaFile)]
    return f"sm_{max(targets)}" if targets else ""
