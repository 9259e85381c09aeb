"""Memory around the arrays of a launch: a kernel that writes beside them in a fast build changes no other memory.

A kernel gets copies of its arrays with guards around them, and what it wrote is copied back.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

GUARD = 1 << 14  # bytes on either side
ALIGNMENT = 256  # a copy begins as far past a multiple of it as its array does
PATTERN = np.uint32(0x7FA5A5A5)  # a NaN that also an addition to it changes
UNTOUCHED = np.full(GUARD // 4 + ALIGNMENT, PATTERN).view(np.uint8)


class Region(NamedTuple):
    """Memory of one array, or of several that overlap: their places among the arguments, and if it is const."""

    start: int
    end: int
    positions: tuple[int, ...]
    is_const: bool


def regions(arrays: Mapping[int, np.ndarray], constant: Callable[[int], bool]) -> list[Region]:
    """The memory of the arguments, what overlaps taken together."""
    found: list[Region] = []
    for i, array in sorted(arrays.items(), key=lambda item: item[1].ctypes.data):
        start = array.ctypes.data
        new = Region(start, start + array.nbytes, (i,), constant(i))
        if found and start < found[-1].end:
            last = found.pop()
            new = Region(last.start, max(last.end, new.end), (*last.positions, i), last.is_const and new.is_const)
        found.append(new)
    return found


class Guarded:
    """A copy of a region with guards around it, at `address`."""

    def __init__(self, region: Region):
        self.region, self.size = region, region.end - region.start
        self._memory = np.full((2 * GUARD + self.size + 2 * ALIGNMENT) // 4, PATTERN)
        first = self._memory.ctypes.data + GUARD
        self.address = first + (region.start - first) % ALIGNMENT
        self._inside = self.address - self._memory.ctypes.data
        ctypes.memmove(self.address, region.start, self.size)

    def address_of(self, array: np.ndarray) -> int:
        """Where the copy of an array of the region is."""
        return self.address + array.ctypes.data - self.region.start

    def copy_back(self) -> None:
        """Give the arrays what the kernel wrote."""
        if not self.region.is_const:
            ctypes.memmove(self.region.start, self.address, self.size)

    def damage(self) -> str:
        """Where a guard is not what it was, in words; "" where both are."""
        found, end = self._memory.view(np.uint8), self._inside + self.size
        guards = {"before": found[: self._inside], "past the end of": found[end:]}
        for (where, guard), first in zip(guards.items(), (0, end % 4)):
            if not np.array_equal(guard, UNTOUCHED[first : first + guard.size]):
                return f"write {where} argument {self.region.positions[0]}"
        return ""
