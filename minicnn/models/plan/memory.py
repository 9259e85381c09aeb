"""Where the values of a plan lie: a value takes the buffer of one that nobody needs any more."""

from __future__ import annotations

from collections import defaultdict
from math import prod
from typing import Any

import numpy as np

from .trace import Instruction, Value

CACHE_LINE = 64  # bytes: vectors that begin on one are read in one piece


class Memory:
    """Memory for one batch size: which buffer each input and result takes, and what is spent after each chain.

    `lasting` are the instructions that write to memory which is given to them.
    """

    def __init__(
        self, inputs: list[Value], chains: list[list[Instruction]], outputs: list[Any], lasting: set[int], batch: int
    ):
        self.of = {id(value): take([], (batch, *value.shape[1:]), value.dtype) for value in inputs}
        self.spent: dict[int, list[int]] = defaultdict(list)
        roots, last_use = _lifetimes(inputs, chains)
        for value in outputs:
            last_use.pop(roots.get(id(value), id(value)), None)
        free: list[np.ndarray] = []
        for position, chain in enumerate(chains):
            for item in chain:
                value = item.output
                if id(item) in lasting and roots[id(value)] == id(value):
                    self.of[id(value)] = take(free, (batch * value.rows, *value.shape[1:]), value.dtype)
            for key in [key for key, last in last_use.items() if last == position]:
                self.spent[id(chain[-1])] += [k for k, root in roots.items() if root == key]
                memory = self.of[key].base if key in self.of else None
                if memory is not None:
                    free.append(memory)


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


def take(free: list[np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array in the smallest free buffer that is large enough, or in a new one."""
    size = prod(shape) * dtype.itemsize + CACHE_LINE
    fitting = [buffer for buffer in free if buffer.nbytes >= size]
    if fitting:
        buffer = min(fitting, key=lambda b: b.nbytes)
        free[:] = [other for other in free if other is not buffer]
    else:
        buffer = np.empty(size, np.uint8)
    return np.ndarray(shape, dtype, buffer, offset=-buffer.ctypes.data % CACHE_LINE)
