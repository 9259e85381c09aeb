"""A device: an array module, and the one door to its kernels.

Host code of CUDA rungs is written once, on this interface.  `CupyDevice` (in _cuda.py) launches on a GPU; the
emulator of the tests launches the same files on the CPU, and whatever stands above `_launch` is then the same code.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import ArgumentError, DTypeError

from ._gpu.source import KERNELS, Parameter, signatures

CPU = "cpu"  # its arrays are NumPy's, and its kernels are called without a device

_known: dict[str, "Device"] = {}
_makers: dict[str, Callable[[], "Device"]] = {}


class Launch(NamedTuple):
    """What `Device.launch` was asked for, with `source` the path of the file."""

    source: Path
    kernel: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    arguments: tuple[Any, ...]
    shared_bytes: int
    defines: tuple[str, ...]
    stream: Any


class Device:
    """An array module and the door to its kernels.

    Attributes
    ----------
    name : str
        What `device_of` says of its arrays.
    xp : module
        cupy, or one that looks like it: makes arrays, views, and does elementwise arithmetic.
    capability : (int, int)
        What host code chooses rungs by: (8, 0) has cp.async and TF32, (9, 0) is Hopper.
    """

    name: str
    xp: Any
    capability: tuple[int, int]

    def launch(
        self,
        file: str,
        kernel: str,
        grid: Sequence[int],
        block: Sequence[int],
        arguments: Sequence[Any],
        *,
        shared_bytes: int = 0,
        defines: tuple[str, ...] = (),
        stream: Any = None,
    ) -> None:
        """Run a kernel of a file below kernels/; `grid` and `block` have one to three sizes.

        A grid without blocks is a launch of nothing.  The call may return before the kernel has ended.

        Parameters
        ----------
        arguments : sequence
            Arrays of this device, contiguous and of the kernel's dtype; None for a pointer that is not there; NumPy
            numbers of exactly the kernel's type, since a Python number has no width that a GPU could know.
        shared_bytes : int
            Of dynamic shared memory.
        defines : tuple of str
            Macros, as "TILE=64": each choice of them is a build of its own.
        stream : object
            One of `xp.cuda.Stream`; None is the current one.

        Raises
        ------
        ArgumentError, DTypeError
            An unknown kernel, or arguments that are not what it takes.
        DeviceError
            It cannot be built or launched.

        Examples
        --------
        >>> import numpy as np
        >>> from minicnn import kernels
        >>> gpu = kernels.device("cuda")                                        # doctest: +SKIP
        >>> x, y = gpu.from_host(np.ones((5, 300), "f4")), gpu.xp.empty(300, "f4")  # doctest: +SKIP
        >>> taken = (x, y, np.int64(5), np.int32(300))                          # doctest: +SKIP
        >>> gpu.launch("channel_sum/cuda.cu", "channel_sum_forward_v1_direct", (2,), (256,), taken)  # doctest: +SKIP
        """
        source = KERNELS / file
        launch = Launch(source, kernel, tuple(grid), tuple(block), tuple(arguments), shared_bytes, defines, stream)
        self._check_launch(launch)
        if math.prod(grid):
            self._launch(launch)

    def _check_launch(self, launch: Launch) -> None:
        """Refuse a launch that is none of the kernel's."""
        source, kernel, grid, block, arguments, *_ = launch
        known = signatures(source)
        if kernel not in known:
            raise ArgumentError(f"{source.parent.name}/{source.name} has no kernel {kernel}; it has {', '.join(known)}")
        if not (1 <= len(grid) <= 3 and 1 <= len(block) <= 3):
            raise ArgumentError(f"{kernel}: grid and block have one to three sizes, got {grid}, {block}")
        if len(arguments) != len(known[kernel]):
            raise ArgumentError(f"{kernel} takes {len(known[kernel])} arguments, got {len(arguments)}")
        for parameter, argument in zip(known[kernel], arguments):
            self._check(kernel, parameter, argument)

    def _check(self, kernel: str, parameter: Parameter, argument: Any) -> None:
        """Refuse what the kernel would read as something else."""
        where = f"{kernel}: argument {parameter.name}"
        if not parameter.is_pointer:
            if not isinstance(argument, np.generic) or argument.dtype != parameter.dtype:
                raise DTypeError(f"{where} must be one NumPy {parameter.dtype}, got {_described(argument)}")
        elif argument is not None:
            if not isinstance(argument, self.xp.ndarray) or argument.dtype != parameter.dtype:
                raise DTypeError(
                    f"{where} must be an array of {parameter.dtype} on {self.name}, got {_described(argument)}"
                )
            if not argument.flags.c_contiguous:
                raise ArgumentError(f"{where} is not contiguous: its shape is {argument.shape}")

    def _launch(self, launch: Launch) -> None:
        """Build and start a kernel whose arguments have been checked."""
        raise NotImplementedError

    @contextmanager
    def guard(self, what: str) -> Iterator[None]:
        """Within the block, what fails on the device is a DeviceError whose message begins with `what`.

        That is a kernel that was launched before, or memory that is too small for an array of `xp`: DeviceMemoryError.
        """
        yield

    def from_host(self, array: np.ndarray) -> Any:
        """A contiguous copy of an array on this device."""
        raise NotImplementedError

    def to_host(self, array: Any) -> np.ndarray:
        """A copy of a device's array as a NumPy one, when all that was launched before is done."""
        raise NotImplementedError

    def fetch(self, array: Any) -> Callable[[], np.ndarray]:
        """Begin to copy an array to the host, as it is after all that was launched before; the function waits for it.

        What is launched in between need not wait for the copy, and must not change the array.
        """
        return partial(self.to_host, array)

    def write(self, place: Any, array: Any) -> None:
        """Copy an array of the host, or of this device, into one of this device of its shape.

        It takes place after what was launched before, and before what is launched after it; the host waits for neither.
        """
        raise NotImplementedError

    def capture(self, work: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """(what `work` returns, a function that launches again what it launched): the work itself is not done.

        Arrays that the work makes are made once: each run of the function writes to the same.

        Raises
        ------
        UnsupportedError
            Something of it is no launch of a kernel, so that it cannot be noted.
        """
        raise NotImplementedError

    def mark(self) -> Any:
        """The point that the work of this thread has come to, for `after`."""

    def after(self, mark: Any) -> None:
        """Have what this thread launches next wait for a point of another's work, whose stream may be another."""

    def address(self, array: Any) -> int:
        """Where an array begins in the device's memory."""
        raise NotImplementedError

    def free_memory(self) -> int:
        """Bytes that arrays can still take."""
        raise NotImplementedError

    def memory_of(self, work: Callable[[], Any]) -> int:
        """Bytes that arrays took at the most while `work` ran, beyond those that they took before."""
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait until all that was launched is done."""
        raise NotImplementedError

    def wait(self) -> None:
        """Wait until all that this thread launched is done, while others may capture."""
        self.synchronize()


def _described(value: Any) -> str:
    """A value by its type: "ndarray of float64", "int"."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return f"Python's {type(value).__name__}" if type(value) in (bool, int, float) else type(value).__name__
    return f"{type(value).__module__.partition('.')[0]}.{type(value).__name__} of {dtype}"


def register_device(name: str, make: Callable[[], Device]) -> None:
    """Make a device known by its name; `make` is called when it is first asked for."""
    _makers[name] = make
    _known.pop(name, None)


def devices() -> list[str]:
    """The names of devices, whether or not they can be used here; "cpu" comes first.

    >>> from minicnn import kernels
    >>> kernels.devices()[:2]
    ['cpu', 'cuda']
    """
    return [CPU, *_makers]


def device(name: str) -> Device:
    """The device of a name other than "cpu", whose arrays are NumPy's and need none.

    Raises
    ------
    ArgumentError
        There is no such device.
    DeviceError
        The device cannot be used here: no driver, no CuPy, no compiler.

    Examples
    --------
    >>> from minicnn import kernels
    >>> kernels.device("cuda").capability                                       # doctest: +SKIP
    (9, 0)
    """
    if name == CPU:
        raise ArgumentError("'cpu' is no device to launch on: its kernels are called with NumPy arrays")
    if name not in _makers:
        kind, _, number = str(name).partition(":")
        chosen = f"; the variable CUDA_VISIBLE_DEVICES={number} makes that GPU 'cuda'" if kind == "cuda" else ""
        raise ArgumentError(f"there is no device {name!r}; there are {', '.join(devices())}{chosen}")
    if name not in _known:
        _known[name] = _makers[name]()
    return _known[name]


def _cuda() -> Device:
    from ._cuda import CupyDevice

    return CupyDevice()


register_device("cuda", _cuda)
