"""What users give as arrays: of numbers, on the host or on a device."""

from __future__ import annotations

from typing import Any

from minicnn import kernels
from minicnn.autograd import Tensor
from minicnn.errors import DTypeError, ShapeError


def as_array(value: Any, name: str) -> Any:
    """An array of numbers; as x, one of a GPU, also another library's, stays where it is.

    Raises
    ------
    DTypeError
        Text, objects, rows of different lengths, or numbers of another library that NumPy has not, as bfloat16.
    DeviceError
        Another library's array that is in no memory, or on a GPU that cannot be used here.
    """
    value = value.array if isinstance(value, Tensor) else value
    array = kernels.device_array(value)
    if array is None:
        try:
            array = kernels.host_array(value, name)
        except ValueError:
            raise DTypeError(f"{name} must be an array of numbers; it has rows of different lengths") from None
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"{name} must be an array of numbers; it has dtype {array.dtype}")
    if not array.ndim:
        raise ShapeError(f"{name} must have a batch axis; it is the single number {array}")
    return array if name == "x" else kernels.to_host(array)
