"""A CUDA source file of an operation, as its host code and the tests see it."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError

from .._device import device
from .._registry import specs
from .._shapes import ceil_div
from .._where import device_of
from .source import KERNELS

THREADS = 256  # of a block whose threads each make one number
Macros = tuple[str, ...]

cuda_files: list["CudaFile"] = []  # all that have been imported


class CudaFile:
    """The kernels of one .cu file.

    Parameters
    ----------
    name : str
        The file, below kernels/: "maxpool2d/cuda.cu".
    target : int
        The oldest architecture that runs it: 75, or 80 with cp.async, TF32 and bfloat16.
    variants : tuple of tuples of str
        Each choice of macros that is launched.

    Raises
    ------
    ArgumentError
        There is no such file.
    """

    def __init__(self, name: str, target: int = 75, variants: tuple[Macros, ...] = ((),)):
        if not (KERNELS / name).is_file():
            there = sorted(path.relative_to(KERNELS).as_posix() for path in (KERNELS / name).parent.glob("*.cu"))
            found = f"its folder has {', '.join(there)}" if there else "its folder has no .cu file"
            raise ArgumentError(f"CudaFile: there is no {KERNELS / name}: {found}")
        self.name, self.target, self.variants = name, target, variants
        cuda_files.append(self)

    @property
    def path(self) -> Path:
        return KERNELS / self.name

    def launch(
        self,
        like: Any,
        kernel: str,
        grid: Sequence[int] | int,
        block: Sequence[int] | int,
        *arguments: Any,
        shared_bytes: int = 0,
        variant: Macros = (),
    ) -> None:
        """Run a kernel on the device of the array `like`; raises as `Device.launch`."""
        if variant not in self.variants:
            raise ArgumentError(f"{self.name} has no variant {variant}")
        blocks, threads = [(size,) if isinstance(size, int) else size for size in (grid, block)]
        device(device_of(like)).launch(
            self.name, kernel, blocks, threads, arguments, shared_bytes=shared_bytes, defines=variant
        )

    def each(self, like: Any, kernel: str, count: int, *arguments: Any, variant: Macros = ()) -> None:
        """Run a kernel whose thread number i, in blocks of one row, makes number i of `count`."""
        self.launch(like, kernel, -(-count // THREADS), THREADS, *arguments, variant=variant)


def builds() -> list[tuple[CudaFile, Macros]]:
    """Every file of a rung with every choice of its macros, in the order of names."""
    for spec in specs("cuda"):
        assert callable(spec.fn)  # imports the module, which names its files
    return [(file, variant) for file in sorted(cuda_files, key=lambda file: file.name) for variant in file.variants]


def ints(*values: int) -> tuple[np.int32, ...]:
    """Numbers as a kernel's `int` takes them.

    Raises
    ------
    ArgumentError
        One is too large: an array of more than 2**31 numbers along what a kernel counts in `int`.
    """
    if any(not -(2**31) <= value < 2**31 for value in values):
        raise ArgumentError(
            f"a size of {max(values, key=abs)} is more than kernels for a GPU count to: take a smaller batch"
        )
    return tuple(map(np.int32, values))


def address(array: Any) -> int:
    """Where an array begins in the memory of its device: four floats are read at once from multiples of 16."""
    return device(device_of(array)).address(array)


def fours(shape: Sequence[int]) -> int:
    """How many threads make four numbers of a row each, the last one of a row fewer; rows are along the last axis."""
    return prod(shape[:-1]) * ceil_div(shape[-1], 4)


def contiguous(array: Any) -> Any:
    """The array itself where its numbers lie in order, else a copy in order, on its device."""
    if array.flags.c_contiguous:
        return array
    return device(device_of(array)).xp.ascontiguousarray(array)
