"""Checks that every kernel's contract makes of its arrays."""

from functools import lru_cache
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, DTypeError, ShapeError

from ._device import CPU, device
from ._memory import empty
from ._moving import to_device
from ._where import device_of, one_device


def same_dtype(op: str, **arrays: Any) -> np.dtype:
    """The one float dtype of the arrays that are not None, which are on one device.

    Raises
    ------
    DTypeError
        Dtypes that differ, or that are not floating point.
    DeviceError
        Arrays on several devices.
    """
    given = [array for array in arrays.values() if array is not None]
    if len({type(array) for array in given}) > 1:
        one_device(op, **arrays)
    first = given[0].dtype
    if len({array.dtype for array in given}) > 1 or first.kind != "f":
        found = ", ".join(f"{name} {array.dtype}" for name, array in arrays.items() if array is not None)
        raise DTypeError(f"{op}: all arrays must have one float dtype; found {found}")
    return first


class _Unmarked:
    """The memory of a write-protected array without its mark; keeps the array alive."""

    def __init__(self, array: np.ndarray):
        self.array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def operand(array: np.ndarray) -> np.ndarray:
    """An array as compiled kernels read it: contiguous, and never of the type "may not be written".

    Weights are write-protected.  Numba takes protected arrays for another type and would compile every kernel once for
    each mixture of the two.  Kernels write to their outputs alone, so the mark can be left out here, without a copy.
    """
    array = np.ascontiguousarray(array)
    return array if array.flags.writeable else np.asarray(_Unmarked(array))


def output_array(out: Any, shape: tuple[int, ...], like: Any, op: str, *operands: Any) -> Any:
    """`out` when it fits, else a new array of `shape`, on the device and of the dtype of `like`.

    Raises
    ------
    ShapeError
        `out` has another shape or dtype, or is not contiguous.
    ArgumentError
        It may not be written, or lies in the memory of one of the `operands`, which are read after it is written.
    DeviceError
        It is on another device than `like`.
    """
    if out is None:
        where = device_of(like)
        return (empty if where == "cpu" else device(where).xp.empty)(tuple(shape), like.dtype)
    if type(out) is not type(like):
        one_device(op, **{"out": out, "the operands": like})
    if out.shape != tuple(shape) or out.dtype != like.dtype or not out.flags.c_contiguous:
        raise ShapeError(
            f"{op}: out must be a contiguous {like.dtype} array of shape {tuple(shape)}; it is {out.dtype} {out.shape}"
        )
    if device_of(out) == "cpu" and not out.flags.writeable:
        raise ArgumentError(f"{op}: out is write-protected")
    if any(array is not None and np.may_share_memory(out, array) for array in operands):
        raise ArgumentError(f"{op}: out must not lie in the memory of an operand, which is read after out is written")
    return out


def filled(value: float, shape: tuple[int, ...], like: Any) -> Any:
    """An array of one value to read from, on the device and of the dtype of `like`; not a new one on a device."""
    where = device_of(like)
    return np.full(shape, value, like.dtype) if where == CPU else _filled_there(where, value, shape, like.dtype)


@lru_cache(maxsize=64)
def _filled_there(where: str, value: float, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Made once, by a copy: where launches are captured, those that read it are, and a copy cannot be."""
    return to_device(np.full(shape, value, dtype), where, wait=True)
