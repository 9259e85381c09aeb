"""Where an array lives, which decides the ladder whose rungs run on it."""

from typing import Any

import numpy as np

from minicnn.errors import DeviceError, DTypeError

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


def one_device(op: str, **arrays: Any) -> None:
    """Raise DeviceError unless the arrays that are not None are on one device; single numbers may be beside them."""
    places = {name: device_of(array) for name, array in arrays.items() if not isinstance(array, np.generic | None)}
    if len({*places.values()}) > 1:
        found = ", ".join(f"{name} on {place}" for name, place in places.items())
        raise DeviceError(
            f"{op}: all arrays must be on one device; found {found}: bring them together by kernels.to_device"
        )
