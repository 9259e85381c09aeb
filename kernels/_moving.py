"""Arrays between the host and devices."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.errors import DeviceError

from ._device import device
from ._where import device_of

HOST = "cpu"


def to_host(array: Any) -> np.ndarray:
    """The array itself where it is NumPy's, else a copy as one."""
    where = device_of(array)
    return array if where == HOST else device(where).to_host(array)


def to_device(array: Any, name: str) -> Any:
    """The array itself where it is on the device of a name, else a copy there; the host is "cpu".

    Raises
    ------
    ArgumentError, DeviceError
    """
    if device_of(array) == name:
        return array
    array = to_host(array)
    return array if name == HOST else device(name).from_host(array)


def together(arrays: Sequence[Any]) -> list[Any]:
    """The arrays (None for an absent one), those of the host brought to the device that the others are on.

    Raises
    ------
    DeviceError
        They are on several devices.
    """
    places = {device_of(array) for array in arrays if array is not None} - {HOST}
    if len(places) > 1:
        raise DeviceError(f"arrays of one operation are on several devices: {', '.join(sorted(places))}")
    if not places:
        return list(arrays)
    (place,) = places
    return [None if array is None else to_device(array, place) for array in arrays]
