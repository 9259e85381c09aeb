"""Copies between the host and a GPU beside its computing: through pinned memory, on streams of their own.

A GPU copies and computes at once, if the host's memory is pinned, which the system may not move, and if another stream
copies than the one that computes.  Streams know nothing of each other: events say what has to wait for what.

    host        fill pinned 0      fill pinned 1      fill pinned 0 ...
    copying        └─ pinned 0 → slot 0   └─ pinned 1 → slot 1
    computing   batch 0 ....    slot 0 → place, batch 1 ....    slot 1 → place, batch 2 ....
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np

from .check import OUT_OF_MEMORY

SLOTS = 2  # one is filled while the other is copied
LARGEST = 256 << 20  # bytes of a slot; larger arrays go in pieces
SMALLEST = 1 << 20


class PinnedMemoryError(MemoryError):
    """The host pins no more memory; CUDA says of it what it says of the GPU's."""


def pinned_memory(cuda: Any, size: int) -> Any:
    """So many bytes of pinned memory.

    Raises
    ------
    PinnedMemoryError
    """
    try:
        return cuda.alloc_pinned_memory(size)
    except cuda.runtime.CUDARuntimeError as error:
        if error.status != OUT_OF_MEMORY:
            raise
        raise PinnedMemoryError(size) from error


class Uploads:
    """Copies from the host, of which only the filling of pinned memory is waited for.

    Parameters
    ----------
    cuda : module
        `cupy.cuda`.
    """

    def __init__(self, cuda: Any):
        self._cuda, self._stream = cuda, cuda.Stream(non_blocking=True)
        self._slots = cycle([_Slot(cuda) for _ in range(SLOTS)])
        self._lock = threading.Lock()

    def write(self, place: Any, array: np.ndarray) -> None:
        """Copy an array into one of the GPU of its shape, whose dtype it is cast to; it may be changed at once.

        The place changes in the order of the current stream: when what was launched there before is done.

        Raises
        ------
        cupy.cuda.memory.OutOfMemoryError, PinnedMemoryError
            There is no room for a slot; nothing has been copied.
        """
        if not place.shape:
            place, array = place.reshape(1), array.reshape(1)
        if not place.size:
            return
        rows = max(1, LARGEST // (place.nbytes // len(place)))
        with self._lock:
            for start in range(0, len(place), rows):
                self._write(place[start : start + rows], array[start : start + rows])

    def _write(self, place: Any, array: np.ndarray) -> None:
        slot = next(self._slots)
        slot.grow(place.nbytes)
        slot.copied.synchronize()  # before that, its pinned memory is still read
        np.copyto(slot.pinned_as(place), array, casting="unsafe")
        self._stream.wait_event(slot.taken)
        slot.memory.copy_from_host_async(slot.pinned.ptr, place.nbytes, self._stream)
        slot.copied.record(self._stream)
        computing = self._cuda.get_current_stream()
        computing.wait_event(slot.copied)
        place.data.copy_from_device_async(slot.memory, place.nbytes, computing)
        slot.taken.record(computing)


class _Slot:
    """Pinned memory of the host, and as much of the GPU's."""

    def __init__(self, cuda: Any):
        self._cuda, self._size = cuda, 0
        self.pinned: Any = None
        self.memory: Any = None
        self.copied, self.taken = (cuda.Event(disable_timing=True) for _ in range(2))

    def grow(self, size: int) -> None:
        """Have room for so many bytes."""
        if size <= self._size:
            return
        self.taken.synchronize()  # what is given back may be given to another stream
        self._size, self.pinned, self.memory = 0, None, None
        room = max(SMALLEST, 1 << (size - 1).bit_length())
        self.pinned, self.memory = pinned_memory(self._cuda, room), self._cuda.alloc(room)
        self.taken.record(self._cuda.get_current_stream())  # whose work so far may use what the pool gave us
        self._size = room

    def pinned_as(self, place: Any) -> np.ndarray:
        """The pinned memory as an array like one of the GPU."""
        return np.frombuffer(self.pinned, place.dtype, place.size).reshape(place.shape)


class Downloads:
    """Copies to the host that are waited for when their arrays are asked for."""

    def __init__(self, cuda: Any):
        self._cuda, self._stream = cuda, cuda.Stream(non_blocking=True)
        self._begun: list[tuple[Any, Any, Any]] = []  # events, and what is kept until they have come
        self._lock = threading.Lock()

    def begin(self, array: Any) -> Callable[[], np.ndarray]:
        """Begin to copy a contiguous array, as the current stream leaves it; what is returned waits for the copy.

        Raises
        ------
        PinnedMemoryError
        """
        if not array.size:
            return lambda: np.empty(array.shape, array.dtype)
        pinned = pinned_memory(self._cuda, array.nbytes)
        made, copied = (self._cuda.Event(disable_timing=True) for _ in range(2))
        with self._lock:
            made.record(self._cuda.get_current_stream())
            self._stream.wait_event(made)
            array.data.copy_to_host_async(pinned.ptr, array.nbytes, self._stream)
            copied.record(self._stream)
            self._begun = [each for each in self._begun if not each[0].done]
            self._begun.append((copied, pinned, array))

        def finish() -> np.ndarray:
            copied.synchronize()
            return np.frombuffer(pinned, array.dtype, array.size).reshape(array.shape).copy()

        return finish
