"""Where the values of a plan lie: a value takes the buffer of one that nobody needs any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from .trace import Instruction, Value

CACHE_LINE = 64  # bytes: vectors that begin on one are read in one piece
Room = Callable[[int], Any]  # a new buffer of so many bytes, an array of uint8


class Memory:
    """Memory for one batch size: which buffer each input and result takes, and what is spent after each chain.

    `lasting` are the instructions that write to memory which is given to them; `room` makes that of a device.
    """

    def __init__(
        self,
        inputs: list[Value],
        chains: list[list[Instruction]],
        outputs: list[Any],
        lasting: set[int],
        batch: int,
        room: Room | None = None,
    ):
        self.room = host_room if room is None else room
        self.of: dict[int, Any] = {}
        self._buffers: dict[int, Any] = {}
        for value in inputs:
            self._place(value, [], batch)
        self.spent: dict[int, list[int]] = defaultdict(list)
        roots, last_use = _lifetimes(inputs, chains)
        for value in outputs:
            last_use.pop(roots.get(id(value), id(value)), None)
        free: list[Any] = []
        for position, chain in enumerate(chains):
            for item in chain:
                value = item.output
                if id(item) in lasting and roots[id(value)] == id(value):
                    self._place(value, free, batch * value.rows)
            for key in [key for key, last in last_use.items() if last == position]:
                self.spent[id(chain[-1])] += [k for k, root in roots.items() if root == key]
                if key in self._buffers:
                    free.append(self._buffers.pop(key))

    def _place(self, value: Value, free: list[Any], rows: int) -> None:
        shape = (rows, *value.shape[1:])
        buffer = self._buffers[id(value)] = take(free, prod(shape) * value.dtype.itemsize, self.room)
        self.of[id(value)] = laid_out(buffer, shape, value.dtype)


def sample_bytes(instructions: list[Instruction], inputs: list[Value], outputs: list[Any]) -> int:
    """Bytes of one sample's inputs and of the results that are needed at the same time, at the most."""
    roots, last_use = _lifetimes(inputs, [[item] for item in instructions])
    results = {roots.get(id(value)) for value in outputs}
    live: dict[int, int] = {}
    most = 0
    for position, item in enumerate(instructions):
        value = item.output
        if roots[id(value)] == id(value):
            live[id(value)] = value.bytes
        most = max(most, sum(live.values()))
        for key in [key for key in live if last_use[key] == position and key not in results]:
            del live[key]
    return most + sum(value.bytes for value in inputs)


def _lifetimes(inputs: list[Value], chains: list[list[Instruction]]) -> tuple[dict[int, int], dict[int, int]]:
    """(the value whose memory each value lies in; the chain after which each such memory is free)."""
    roots = {id(value): id(value) for value in inputs}
    last_use: dict[int, int] = {}
    for position, item in ((position, item) for position, chain in enumerate(chains) for item in chain):
        sources = item.values()
        own = id(item.output)
        roots[own] = roots.get(id(sources[0]), own) if item.function.is_view and sources else own
        for key in (own, *(id(value) for value in sources)):
            if key in roots:
                last_use[roots[key]] = position
    return roots, last_use


def take(free: list[Any], size: int, room: Room) -> Any:
    """The smallest free buffer that is large enough, or a new one."""
    fitting = [buffer for buffer in free if buffer.nbytes >= size]
    if not fitting:
        return room(size)
    found = min(fitting, key=lambda buffer: buffer.nbytes)
    free[:] = [other for other in free if other is not found]
    return found


def host_room(size: int) -> np.ndarray:
    """A buffer that begins on a cache line."""
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size]


def laid_out(buffer: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """An array at the beginning of a buffer."""
    return buffer[: prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
