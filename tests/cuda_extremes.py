"""What the tests of single operations on a GPU share: its rungs, and calls with arrays that the emulator is given."""

from typing import Any

import numpy as np
from emulator.device import install

from minicnn import kernels


def cuda_rungs(op: str, direction: str = "forward") -> list[str]:
    """The rungs of a direction on a GPU."""
    return [spec.rung for spec in kernels.specs("cuda") if (spec.op, spec.direction) == (op, direction)]


def emulated(function: Any, *arguments: Any, mode: str = "fast", order: int = 0, **options: Any) -> Any:
    """What a kernel makes of the arrays of the host, brought to the emulator and back."""
    device = install(mode, order)
    there = [device.from_host(a) if isinstance(a, np.ndarray) else a for a in arguments]
    found = function(*there, **{k: device.from_host(o) if isinstance(o, np.ndarray) else o for k, o in options.items()})
    return tuple(map(device.to_host, found)) if isinstance(found, tuple) else device.to_host(found)
