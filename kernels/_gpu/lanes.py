"""How many numbers a thread of a GPU reads and writes at once: four floats, where a row and its place in memory allow.

An access of 16 bytes is one instruction, and faults where its address is no multiple of 16.
"""

from typing import Any

from .file import address, contiguous

WIDEST = 4
VARIANTS = tuple((f"LANES={lanes}",) for lanes in (4, 2, 1))  # of a file that includes vector.cuh
FLOAT = 4  # bytes


def lanes(channels: int, *arrays: Any) -> int:
    """4, 2 or 1: the most that divides a row, and at whose multiples all the arrays begin."""
    divided = [channels, *(address(array) // FLOAT for array in arrays)]
    return next(most for most in (4, 2, 1) if not any(number % most for number in divided))


def aligned(array: Any) -> Any:
    """The array itself where vectors may be read from it, else a copy in order."""
    array = contiguous(array)
    return array.copy() if address(array) % (WIDEST * FLOAT) else array
