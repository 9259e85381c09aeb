"""Arrays between the host and devices."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.errors import DeviceError, DTypeError

from ._device import device
from ._where import device_of

HOST = "cpu"
ON_HOST = (1, 3, 11)  # DLPack's numbers for memory of the host, also that which CUDA or ROCm has pinned
ON_CUDA = (2, 13)  # and for memory of NVIDIA's GPUs, and for what CUDA moves between them and the host


def to_host(array: Any) -> np.ndarray:
    """The array itself where it is NumPy's, else a copy as one."""
    where = device_of(array)
    return array if where == HOST else device(where).to_host(array)


def fetch(array: Any) -> Callable[[], np.ndarray]:
    """How to get what `to_host` gives: the copy is begun, and may be waited for later (`Device.fetch`)."""
    where = device_of(array)
    return (lambda: array) if where == HOST else device(where).fetch(array)


def to_device(array: Any, name: str, wait: bool = False) -> Any:
    """The array itself where it is on the device of a name, else a copy there; the host is "cpu".

    Where it waits, the copy is made when it returns: threads whose streams are their own may read it too.

    Raises
    ------
    ArgumentError, DeviceError
    """
    if device_of(array) == name:
        return array
    array = to_host(array)
    if name == HOST:
        return array
    there = device(name).from_host(array)
    if wait:
        device(name).wait()
    return there


def shared(source: Any) -> Any:
    """An array over the memory of another library's (PyTorch, JAX ...), by DLPack: NumPy's, or of the GPU it is on.

    Raises
    ------
    DeviceError
        The GPU cannot be used here, or the memory is neither of the host nor of an NVIDIA GPU.
    DTypeError
        NumPy, or CuPy, has no such numbers, as bfloat16.
    """
    module = device("cuda").xp if _memory_of(source) in ON_CUDA else np
    return _taken(source, "from_dlpack", lambda: module.from_dlpack(detached(source)))


def host_array(value: Any, name: str = "array") -> Any:
    """A value of the host as an array of NumPy's, which another library's, as PyTorch's, shares its memory with.

    Raises
    ------
    DTypeError
        NumPy has no such numbers, as bfloat16; the message begins with the name.
    DeviceError
        It is on a GPU that is not NVIDIA's, and does not come to the host by itself.
    ValueError
        Lists of different lengths.
    """
    if isinstance(value, np.ndarray | np.generic) or not hasattr(value, "__dlpack__"):
        return np.asarray(value)
    bare = detached(value)
    return _taken(value, name, lambda: np.asarray(bare) if hasattr(bare, "__array__") else np.from_dlpack(bare))


def _taken(value: Any, name: str, take: Callable[[], Any]) -> Any:
    """What `take` makes of another library's array; where it cannot, a DTypeError or DeviceError with the reason."""
    try:
        return take()
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        kind, dtype = type(value), getattr(value, "dtype", None)
        of = "" if dtype is None else f" of {dtype}"
        said = f"{name}: a {kind.__module__}.{kind.__name__}{of} cannot be taken as an array: {_first_line(error)}"
        if _memory_of(value) not in (*ON_HOST, *ON_CUDA):
            raise DeviceError(f"{said}; bring it to the host first") from None
        raise DTypeError(f"{said}; convert it first, as to float32") from None


def _memory_of(value: Any) -> int:
    """DLPack's number for the memory that another library's array is in; DeviceError where it is in none."""
    try:
        return value.__dlpack_device__()[0]
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        kind = type(value)
        raise DeviceError(
            f"a {kind.__module__}.{kind.__name__} is in no memory that can be shared: {_first_line(error)}; bring it "
            "to the host, or to an NVIDIA GPU"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def detached(value: Any) -> Any:
    """A value without the way to its gradient, with which PyTorch hands its tensors to no other library."""
    return value.detach() if getattr(value, "requires_grad", False) and hasattr(value, "detach") else value


def device_array(value: Any) -> Any:
    """The array of a device that a value is, or whose memory it shares; None for anything of the host.

    Raises
    ------
    DeviceError
        It is in no memory, as PyTorch's tensors that have a shape alone, or on a GPU that cannot be used here.
    """
    if isinstance(value, np.ndarray):
        return None
    if hasattr(value, "minicnn_device"):
        return value
    if not hasattr(value, "__dlpack_device__") or _memory_of(value) not in ON_CUDA:
        return None
    return value if hasattr(value, "get") else shared(value)


def array_module(array: Any) -> Any:
    """NumPy, or what makes arrays where an array is."""
    where = device_of(array)
    return np if where == HOST else device(where).xp


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
