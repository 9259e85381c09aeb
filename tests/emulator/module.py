"""A library of kernels for this CPU: what cupy.RawModule is on a GPU, with every argument checked."""

import ctypes
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .build import build

SCALARS = {
    "i": (np.int32, np.uint32),
    "q": (np.int64, np.uint64),
    "f": (np.float32,),
    "d": (np.float64,),
}
MOST_SHARED = 232448  # bytes of dynamic shared memory, on Hopper
GRID_LIMITS = (2**31 - 1, 65535, 65535)


class EmulatorError(RuntimeError):
    """A fault of a kernel, or of the way it was launched."""


class Kernel(NamedTuple):
    """The address of a kernel's entry, and a letter for the kind of each parameter."""

    address: ctypes.c_void_p
    kinds: str


class Module:
    """The kernels of one file, built in one mode with some macros defined."""

    def __init__(self, source: Path, mode: str = "fast", defines: tuple[str, ...] = ()):
        self.path = build(source, mode, defines)
        self._library = ctypes.CDLL(str(self.path), mode=ctypes.RTLD_LOCAL)
        self._library.emulator_launch.restype = ctypes.c_char_p
        self._kernels: dict[str, Kernel] = {}

    def kernel(self, name: str) -> Kernel:
        """What is known of a kernel."""
        if name not in self._kernels:
            try:
                kinds = getattr(self._library, f"emulator_kinds_{name}")
            except AttributeError:
                raise EmulatorError(f"{self.path.name} has no kernel {name}") from None
            kinds.restype = ctypes.c_char_p
            address = ctypes.cast(getattr(self._library, f"emulator_call_{name}"), ctypes.c_void_p)
            self._kernels[name] = Kernel(address, kinds().decode())
        return self._kernels[name]

    def launch(
        self,
        name: str,
        grid: Sequence[int],
        block: Sequence[int],
        arguments: Sequence[Any],
        shared_bytes: int = 0,
        order: int = 0,
    ) -> None:
        """Run a kernel to its end; `order` of threads and blocks: 0 as numbered, 1 reversed, more a seed for others.

        Raises
        ------
        EmulatorError
            A launch that no GPU takes, arguments of other types than the kernel's, or a fault while it runs.
        """
        kernel = self.kernel(name)
        sizes = (*three(grid), *three(block))
        check_limits(name, sizes[:3], sizes[3:], shared_bytes)
        if len(arguments) != len(kernel.kinds):
            raise EmulatorError(f"{name} takes {len(kernel.kinds)} arguments, got {len(arguments)}")
        buffers = [(i, a) for i, (a, kind) in enumerate(zip(arguments, kernel.kinds)) if kind == "P" and a is not None]
        values = [packed(name, i, a, kind) for i, (a, kind) in enumerate(zip(arguments, kernel.kinds))]
        count = len(buffers)
        message = self._library.emulator_launch(
            kernel.address,
            (ctypes.c_uint * 6)(*sizes),
            ctypes.c_size_t(shared_bytes),
            (ctypes.c_void_p * len(values))(*[value.ctypes.data for value in values]),
            ctypes.c_int(order),
            ctypes.c_int(count),
            (ctypes.c_void_p * count)(*[array.ctypes.data for _, array in buffers]),
            (ctypes.c_size_t * count)(*[array.nbytes for _, array in buffers]),
            (ctypes.c_int * count)(*[position for position, _ in buffers]),
        )
        if message:
            raise EmulatorError(f"{name}: {self._with_line(message.decode())}")

    def counts(self) -> dict[str, int]:
        """How often the last launch switched threads, passed barriers, exchanged in warps, and looked at accesses."""
        found = (ctypes.c_long * 4)()
        self._library.emulator_counts(found)
        return dict(zip(("switches", "barriers", "warp_operations", "accesses"), found))

    def _with_line(self, message: str) -> str:
        """A message that begins with the file and line of the fault, where it has a place in the code."""
        place = re.match(r"\[\+0x([0-9a-f]+)\] ", message)
        if place is None:
            return message
        command = ["addr2line", "-e", str(self.path), place[1]]
        line = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
        text = message[place.end() :]
        return text if line.startswith("?") else f"{Path(line).name}: {text}"


def three(size: Sequence[int]) -> tuple[int, int, int]:
    """A grid or block with all its three sizes."""
    x, y, z = (*map(int, size), 1, 1)[:3]
    return x, y, z


def check_limits(name: str, grid: tuple[int, ...], block: tuple[int, ...], shared_bytes: int) -> None:
    """Refuse what a GPU refuses."""
    if not all(1 <= size <= most for size, most in zip(grid, GRID_LIMITS)):
        raise EmulatorError(f"{name}: a grid of {grid} blocks, where CUDA takes 1 to {GRID_LIMITS}")
    if min(block) < 1 or np.prod(block) > 1024 or block[2] > 64:
        raise EmulatorError(f"{name}: a block of {block} threads, where CUDA takes 1024 in all, 64 along z")
    if shared_bytes > MOST_SHARED:
        raise EmulatorError(f"{name}: {shared_bytes} bytes of dynamic shared memory, where Hopper has {MOST_SHARED}")


def packed(name: str, position: int, argument: Any, kind: str) -> np.ndarray:
    """An argument as the bytes that a kernel reads: the address of an array, or a number of the kernel's own type."""
    where = f"{name} argument {position}"
    if kind == "P":
        if argument is None:
            return np.zeros(1, np.uintp)
        if not isinstance(argument, np.ndarray):
            raise EmulatorError(f"{where}: the kernel takes an array, got {type(argument).__name__}")
        if not argument.flags.c_contiguous:
            raise EmulatorError(f"{where}: the array is not C-contiguous")
        return np.array([argument.ctypes.data], np.uintp)
    if kind not in SCALARS:
        raise EmulatorError(f"{where}: the kernel takes a type by value that is no number")
    if type(argument) not in SCALARS[kind]:  # CuPy would pack it with another width, without a word
        raise EmulatorError(f"{where}: the kernel takes {SCALARS[kind][0].__name__}, got {type(argument).__name__}")
    return np.array([argument])
