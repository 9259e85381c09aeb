"""The tables of LADDER.md for a GPU: the rungs of each direction, their least architecture, and how each is checked."""

import importlib
from typing import Any

from minicnn import kernels
from minicnn.kernels import KernelSpec
from minicnn.kernels._cuda_file import CudaFile

from .ladders import table_row

EMULATED = "in the emulator, against the reference"


def render(op: str) -> str:
    """The tables of an operation; a sentence where it has no rung on a GPU."""
    specs = [spec for spec in kernels.specs("cuda") if spec.op == op]
    if not specs:
        return "There is no kernel for a GPU yet."
    directions = list(dict.fromkeys(spec.direction for spec in specs))
    return "\n\n".join(_direction(d, [s for s in specs if s.direction == d]) for d in directions)


def _direction(direction: str, specs: list[KernelSpec]) -> str:
    lines = [f"### {direction} on a GPU", "", table_row(["rung", "module", "from", "what it does", "checked"])]
    lines.append("|---|---|---|---|---|")
    for spec in specs:
        module = spec.module.rpartition(".")[2] + ".py"
        lines.append(table_row([f"`{spec.rung}`", f"[{module}]({module})", _target(spec), spec.note, EMULATED]))
    return "\n".join(lines)


def _target(spec: KernelSpec) -> str:
    """The oldest architecture that runs a rung; none where it is not a kernel of ours."""
    module: Any = importlib.import_module(spec.module)
    targets = [value.target for value in vars(module).values() if isinstance(value, CudaFile)]
    return f"sm_{max(targets)}" if targets else ""
