"""Memory for results, used again by those that come after: fresh memory costs a page fault for every 4096 bytes.

Steps of training make arrays of the same sizes again and again.  Inside `with reuse(memory)` the memory of an array
goes back to `memory` when the array and all views of it are gone, and the next array that fits takes it.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

FLOAT = np.dtype(np.float32)
CACHE_LINE = 64
ALIGNED_BYTES = 1 << 16  # arrays from this size on are aligned: for smaller ones it costs more than it gains
STEPS = 8  # sizes of blocks from one power of two to the next
LARGER = 7  # the next larger sizes that will do: none is twice the one that is wanted


class Memory:
    """Blocks of memory that nobody uses at present, by size; each step on it is one that threads cannot interrupt."""

    def __init__(self) -> None:
        self._free: defaultdict[int, list[np.ndarray]] = defaultdict(list)

    def take(self, size: int) -> "_Lease":
        """A block of at least `size` bytes that begins on a cache line: one that was given back, or a new one."""
        size = fitting = _rounded(size)
        for _ in range(1 + LARGER):
            try:
                return _Lease(self, self._free[fitting].pop())
            except IndexError:
                fitting = _rounded(fitting + 1)
        return _Lease(self, _aligned(size))

    def give_back(self, block: np.ndarray) -> None:
        """Keep a block for those that come."""
        self._free[block.nbytes].append(block)


class _Lease:
    """A block in use.  It is what arrays in the block say they lie in, so it ends with the last of them."""

    def __init__(self, memory: Memory, block: np.ndarray):
        self.memory, self.block = memory, block
        self.__array_interface__ = block.__array_interface__

    def __del__(self) -> None:
        self.memory.give_back(self.block)


_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def reuse(memory: Memory) -> Iterator[None]:
    """Arrays that kernels make in this thread take their memory from `memory`, and give it back."""
    token = _memory.set(memory)
    try:
        yield
    finally:
        _memory.reset(token)


def empty(shape: tuple[int, ...], dtype: np.dtype = FLOAT) -> np.ndarray:
    """A new array with any content; a large one begins on a cache line, so that no vector of it lies across two."""
    size = math.prod(shape) * dtype.itemsize
    if size < ALIGNED_BYTES:
        return np.empty(shape, dtype)
    memory = _memory.get()
    room = _aligned(size) if memory is None else np.asarray(memory.take(size))
    return np.ndarray(shape, dtype, room)


def _rounded(size: int) -> int:
    """A size that other arrays of about this size share."""
    step = max(1, (1 << (size.bit_length() - 1)) // STEPS)
    return -(-size // step) * step


def _aligned(size: int) -> np.ndarray:
    room = np.empty(size + CACHE_LINE, np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    return room[start : start + size]
