"""What the tests of single operations on a GPU share: its rungs, and calls with arrays that the emulator is given."""

from typing import Any

import numpy as np
from emulator.device import install

from minicnn import kernels


def rungs_by_direction(op: str) -> list[tuple[str, str]]:
    """(direction, rung) of all that an operation has on a GPU: not every rung has every direction."""
    return [(spec.direction, spec.rung) for spec in kernels.specs("cuda") if spec.op == op]


def cuda_rungs(op: str, *directions: str) -> list[str]:
    """The rungs on a GPU that have all of these directions; of none, those that go forward."""
    there, wanted = rungs_by_direction(op), directions or ("forward",)
    return [rung for rung in kernels.rungs(op, "cuda") if all((direction, rung) in there for direction in wanted)]


def emulated(function: Any, *arguments: Any, mode: str = "fast", order: int = 0, **options: Any) -> Any:
    """What a kernel makes of the arrays of the host, brought to the emulator and back."""
    device = install(mode, order)
    there = [device.from_host(a) if isinstance(a, np.ndarray) else a for a in arguments]
    found = function(*there, **{k: device.from_host(o) if isinstance(o, np.ndarray) else o for k, o in options.items()})
    return tuple(map(device.to_host, found)) if isinstance(found, tuple) else device.to_host(found)
