"""The tables of LADDER.md for a GPU: the rungs of each direction, their least architecture, and how each is checked.

    rung | module | from | what it does | checked | case: speed, times that of the rung before, share of the floor

Speeds are those of the newest result of benchmarks/gpu; where none is committed, there are no such columns.  For
which architectures a rung is compiled is what the tests have recorded in cuda_resources.json.
"""

import importlib
import inspect
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from minicnn import kernels
from minicnn.kernels import KernelSpec
from minicnn.kernels._gpu.file import CudaFile
from minicnn.kernels._gpu.nvrtc import CHECKED
from minicnn.kernels._shapes import ceil_div

from ..kernel_cases import TINY
from ..ladders import COLUMNS, speed, table_row
from .layers import precision_of, rate
from .table import source

RESOURCES = Path(__file__).parents[2] / "tests" / "golden" / "cuda_resources.json"
VENDORS = "xp.matmul("  # of the array module: cuBLAS' by CuPy, NumPy's in the emulator
NOT_YET = "**None of these rungs has run on a GPU yet.**"
LEGEND = (
    "*from*: the oldest architecture that runs the rung: sm_75 is Turing, sm_80 Ampere. *checked*: in the "
    "[emulator](../../docs/gpu.md#the-emulator), on the CPU, against the reference, and compiled for the architectures "
    "that are named, with these [registers and shared memory](../../tests/golden/cuda_resources.json)."
)


def render(op: str, result: dict[str, Any] | None) -> str:
    """The tables of an operation; a sentence where it has no rung on a GPU."""
    specs = [spec for spec in kernels.specs("cuda") if spec.op == op]
    if not specs:
        return "There is no kernel for a GPU yet."
    rows = [row for row in (result or {}).get("rows", []) if row.get("op") == op and row["case"] != TINY]
    directions = list(dict.fromkeys(spec.direction for spec in specs))
    device = result["device"]["name"] if result else ""
    parts = [LEGEND if rows else f"{NOT_YET} {LEGEND}"]
    parts += [_direction(d, [s for s in specs if s.direction == d], rows, device) for d in directions]
    if rows and result:
        parts.append(
            f"Measured by {source(result)} In brackets: times the speed of the rung above it in the table, and the "
            "share of what the device's data sheet allows for so many operations and bytes, in numbers of the rung's "
            "precision."
        )
    return "\n\n".join(parts)


def _direction(direction: str, specs: list[KernelSpec], rows: list[dict[str, Any]], device: str) -> str:
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
        right = any(spec.rung in row["seconds"] and spec.rung not in row["wrong"] for row in measured)
        checked = "; ".join([*_checked(spec), *([f"on {device}"] if right else [])])
        cells = [f"`{spec.rung}`", f"[{module}]({module})", _target(spec), spec.note, checked, *cells]
        lines.append(table_row(cells))
    return "\n".join(lines)


def _speed(rung: str, before: list[str], row: dict[str, Any]) -> str:
    """The rate of a rung on a case, its ratio to that of the rung below, and its share of the floor's rate."""
    rates = {name: rate(row, name) for name in row["seconds"]}
    floor = row["floors"].get(precision_of(rung))
    return speed(rung, before, rates, row["work"] / floor if floor else None)


def _target(spec: KernelSpec) -> str:
    """The oldest architecture that runs a rung."""
    return f"sm_{max(file.target for file in _files(importlib.import_module(spec.module)))}"


def _checked(spec: KernelSpec) -> list[str]:
    """How a rung is checked where there is no GPU."""
    module = importlib.import_module(spec.module)
    if VENDORS in inspect.getsource(module):
        return ["emulator, NumPy in cuBLAS' place"]
    files = _files(module)
    assert {file.name for file in files} <= _compiled(), f"{spec.module}: python tests/cuda_resources.py"
    targets = [str(number) for number in CHECKED if number >= max(file.target for file in files)]
    return ["emulator", f"compiled for sm_{', '.join(targets)}"]


def _files(module: ModuleType) -> set[CudaFile]:
    """The CUDA files that a module names, or else those of the modules whose functions it calls."""
    values = vars(module).values()
    if found := {value for value in values if isinstance(value, CudaFile)}:
        return found
    names = {value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "") for value in values}
    others = [name for name in names - {module.__name__} if name.rpartition(".")[2].startswith("cuda")]
    return set().union(*(_files(importlib.import_module(name)) for name in others))


@cache
def _compiled() -> set[str]:
    """The names of the CUDA files of which the tests have recorded what their kernels take."""
    return {build.partition(" ")[0].rstrip(":") for build in json.loads(RESOURCES.read_text("utf-8"))}
