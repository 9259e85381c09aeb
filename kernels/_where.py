"""Where an array lives, which decides the ladder whose rungs run on it."""

from typing import Any

import numpy as np

from minicnn.errors import DTypeError

EMULATED = "cuda-emulated"


def device_of(array: Any) -> str:
    """Where an array lives: "cpu", "cuda", or what its class names in `minicnn_device`."""
    named = getattr(type(array), "minicnn_device", None)
    if named or isinstance(array, np.ndarray):
        return named or "cpu"
    if type(array).__module__.partition(".")[0] == "cupy":
        return "cuda"
    raise DTypeError(f"kernels work on NumPy or CuPy arrays, not on {type(array).__name__}")


def ladder_of(array: Any) -> str:
    """The device whose rungs run on an array: "cuda" also for what emulates it."""
    found = device_of(array)
    return "cuda" if found == EMULATED else found
