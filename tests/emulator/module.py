"""A library of kernels for this CPU: what cupy.RawModule is on a GPU, with every argument checked."""

import ctypes
import math
import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .build import SHIM, build
from .guards import Guarded, regions

MOST_SHARED = 232448  # bytes of dynamic shared memory, on Hopper
GRID_LIMITS = (2**31 - 1, 65535, 65535)
Addresses = ctypes.POINTER(ctypes.c_void_p)

# One launch at a time: the runtime has one block, and all libraries share the stacks of its threads.
_one_launch = threading.Lock()
_stacks: list[int] = []


class EmulatorError(RuntimeError):
    """A fault of a kernel, or of the way it was launched."""


class Kernel(NamedTuple):
    """The address of a kernel's entry, for each parameter whether it is a pointer and its dtype, and the const ones."""

    address: ctypes.c_void_p
    parameters: tuple[tuple[bool, np.dtype | None], ...]
    constant: frozenset[int]


class _Launch(ctypes.Structure):
    """`Launch` of runtime.cpp."""

    _fields_ = (
        ("function", ctypes.c_void_p),
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared_bytes", ctypes.c_size_t),
        ("values", Addresses),
        ("order", ctypes.c_int),
        ("buffer_count", ctypes.c_int),
        ("buffers", Addresses),
        ("bytes", ctypes.POINTER(ctypes.c_size_t)),
        ("positions", ctypes.POINTER(ctypes.c_int)),
        ("stacks", ctypes.c_void_p),
    )


class Module:
    """The kernels of one file, built in one mode with some macros defined."""

    def __init__(self, source: Path, mode: str = "fast", defines: tuple[str, ...] = ()):
        self.path, self._guards = build(source, mode, defines), mode == "fast"
        self._library = ctypes.CDLL(str(self.path), mode=ctypes.RTLD_LOCAL)
        self._library.emulator_launch.restype = ctypes.c_char_p
        self._library.emulator_new_stacks.restype = ctypes.c_void_p
        self._kernels: dict[str, Kernel] = {}

    def kernel(self, name: str) -> Kernel:
        """What is known of a kernel."""
        if name not in self._kernels:
            try:
                types = getattr(self._library, f"emulator_types_{name}")
            except AttributeError:
                raise EmulatorError(f"{self.path.name} has no kernel {name}") from None
            types.restype = ctypes.c_char_p
            address = ctypes.cast(getattr(self._library, f"emulator_call_{name}"), ctypes.c_void_p)
            pairs = re.findall("([PC.])(.)", types().decode())
            parameters = tuple((kind != ".", None if letter == "-" else np.dtype(letter)) for kind, letter in pairs)
            constant = frozenset(i for i, (kind, _) in enumerate(pairs) if kind == "C")
            self._kernels[name] = Kernel(address, parameters, constant)
        return self._kernels[name]

    def launch(
        self,
        name: str,
        grid: Sequence[int],
        block: Sequence[int],
        arguments: Sequence[Any],
        shared_bytes: int = 0,
        order: int = 0,
        most_shared: int = MOST_SHARED,
    ) -> None:
        """Run a kernel to its end; `order` of threads and blocks: 0 as numbered, 1 reversed, more a seed for others.

        Launches of several threads of Python run one after another.

        Raises
        ------
        EmulatorError
            A launch that no GPU takes, arguments of other types than the kernel's, or a fault while it runs.
        """
        kernel = self.kernel(name)
        sizes = three(grid), three(block)
        check_limits(name, *sizes, shared_bytes, most_shared)
        if len(arguments) != len(kernel.parameters):
            raise EmulatorError(f"{name} takes {len(kernel.parameters)} arguments, got {len(arguments)}")
        values = [
            packed(f"{name} argument {i}", argument, *parameter)
            for i, (argument, parameter) in enumerate(zip(arguments, kernel.parameters))
        ]
        buffers = {i: array for i, array in enumerate(arguments) if isinstance(array, np.ndarray)}
        with _one_launch:
            guarded = guard(values, buffers, kernel.constant) if self._guards else []
            message = self._library.emulator_launch(
                self._described(kernel, sizes, shared_bytes, values, buffers, order)
            )
            for copy in guarded:
                copy.copy_back()
        if message:
            raise EmulatorError(f"{name}: {self._with_lines(message.decode())}")
        if damage := next(filter(None, (copy.damage() for copy in guarded)), ""):
            raise EmulatorError(
                f'{name}: out of bounds: {damage}; run it with install("checked"), which names the line'
            )

    def _described(self, kernel: Kernel, sizes, shared_bytes: int, values: list, buffers: dict, order: int) -> Any:
        if not _stacks:
            _stacks.append(self._library.emulator_new_stacks())
        arrays, count = list(buffers.values()), len(buffers)
        launch = _Launch(
            function=kernel.address,
            grid=sizes[0],
            block=sizes[1],
            shared_bytes=shared_bytes,
            values=(ctypes.c_void_p * len(values))(*[value.ctypes.data for value in values]),
            order=order,
            buffer_count=count,
            buffers=(ctypes.c_void_p * count)(*[array.ctypes.data for array in arrays]),
            bytes=(ctypes.c_size_t * count)(*[array.nbytes for array in arrays]),
            positions=(ctypes.c_int * count)(*buffers),
            stacks=_stacks[0],
        )
        return ctypes.byref(launch)

    def counts(self) -> dict[str, int]:
        """How often the last launch switched threads, passed barriers, exchanged in warps, and looked at accesses."""
        found = (ctypes.c_long * 4)()
        self._library.emulator_counts(found)
        return dict(zip(("switches", "barriers", "warp_operations", "accesses"), found))

    def _with_lines(self, message: str) -> str:
        """A message with file and line in the place of addresses in the library."""
        return re.sub(r"\[\+(0x[0-9a-f]+)\]", lambda found: self._line(found[1]), message)

    def _line(self, address: str) -> str:
        """The line of a kernel: of the functions that g++ has put into each other, the innermost that is not ours."""
        command = ["addr2line", "-i", "-e", str(self.path), address]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        places = [line.split(" (")[0] for line in lines]
        of_kernels = [place for place in places if Path(place).parent != SHIM]
        return Path((of_kernels or places)[0]).name


def three(size: Sequence[int]) -> tuple[int, int, int]:
    """A grid or block with all its three sizes."""
    x, y, z = (*map(int, size), 1, 1)[:3]
    return x, y, z


def check_limits(
    name: str, grid: tuple[int, ...], block: tuple[int, ...], shared_bytes: int, most_shared: int = MOST_SHARED
) -> None:
    """Refuse what a GPU refuses."""
    if not all(1 <= size <= most for size, most in zip(grid, GRID_LIMITS)):
        raise EmulatorError(f"{name}: a grid of {grid} blocks, where CUDA takes 1 to {GRID_LIMITS}")
    if min(block) < 1 or math.prod(block) > 1024 or block[2] > 64:
        raise EmulatorError(f"{name}: a block of {block} threads, where CUDA takes 1024 in all, 64 along z")
    if not 0 <= shared_bytes <= most_shared:
        raise EmulatorError(
            f"{name}: {shared_bytes} bytes of dynamic shared memory, where the device has {most_shared}"
        )


def packed(where: str, argument: Any, is_pointer: bool, dtype: np.dtype | None) -> np.ndarray:
    """An argument as the bytes that a kernel reads: the address of an array, or a number of the kernel's own type."""
    if dtype is None:
        raise EmulatorError(f"{where}: the kernel takes what is no number, and no pointer to numbers")
    found = getattr(argument, "dtype", type(argument).__name__)
    if is_pointer:
        if argument is None:
            return np.zeros(1, np.uintp)
        if not isinstance(argument, np.ndarray) or argument.dtype != dtype:
            raise EmulatorError(f"{where}: the kernel takes an array of {dtype}, got {found}")
        if not argument.flags.c_contiguous:
            raise EmulatorError(f"{where}: the array is not C-contiguous")
        return np.array([argument.ctypes.data], np.uintp)
    if not isinstance(argument, np.generic) or argument.dtype != dtype:  # CuPy would pack it with another width
        raise EmulatorError(f"{where}: the kernel takes one {dtype}, got {found}")
    return np.array([argument])


def guard(values: list[np.ndarray], arrays: dict[int, np.ndarray], constant: frozenset[int]) -> list[Guarded]:
    """Copies of the arrays with guards around them, whose addresses take the place of theirs."""
    guarded = [Guarded(region) for region in regions(arrays, constant.__contains__)]
    for copy in guarded:
        for i in copy.region.positions:
            values[i][0] = copy.address_of(arrays[i])
    return guarded
