"""How tests of the emulator launch kernels that are no product's."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from .module import Module

KERNELS = Path(__file__).parent / "kernels"
ORDERS = (0, 1, 2, 7)  # of threads and blocks: as numbered, reversed, two seeds


@cache
def module(file: str, mode: str) -> Module:
    """The kernels of a file of kernels/."""
    return Module(KERNELS / file, mode)


def launch(
    file: str,
    kernel: str,
    *arguments: Any,
    grid: int | Sequence[int] = 1,
    block: int | Sequence[int] = 32,
    shared_bytes: int = 0,
    mode: str = "checked",
    order: int = 0,
) -> None:
    """Run a kernel of a file of kernels/; it changes its arrays, which are NumPy's."""
    sizes = [(size,) if isinstance(size, int) else size for size in (grid, block)]
    module(file, mode).launch(kernel, *sizes, arguments, shared_bytes, order)
