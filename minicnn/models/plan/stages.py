"""Stages: the first layers of a plan for a slice of the batch at a time, the rest for all of it.

The first layers of a network have large activations and small weights.  If each took the whole batch, the activations
would go out to memory and come back for the next layer; a slice of the batch stays in cache on its way through them.
Further on the weights are large, and are read once for the whole batch.  No result depends on where a batch is cut.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.ops.shape import Permute, ZeroPadding2D

from .steps import KERNELS, Steps
from .trace import Instruction, Value

CACHE = 4 << 20  # bytes of a layer's output that are still in cache when the next layer reads them
SAMPLEWISE = {*KERNELS, Permute, ZeroPadding2D}


class Stages:
    """The instructions of a plan, with memory for one batch size, ready to run."""

    def __init__(
        self,
        inputs: list[Value],
        instructions: list[Instruction],
        outputs: list[Any],
        weights: dict[int, list[Any]],
        batch: int,
    ):
        self.weights, self.batch, self.forced = weights, batch, kernels.forced_rungs()
        length, self.images = _cut(instructions, weights, batch)
        first, rest = instructions[:length], instructions[length:]
        needed = {id(value) for item in rest for value in item.values()} | {id(value) for value in outputs}
        between = [value for value in (*inputs, *(item.output for item in first)) if id(value) in needed]
        self.first = Steps(inputs, first, between, weights, self.images) if first else None
        self.rest = Steps(between if first else inputs, rest, outputs, weights, batch)

    def run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The outputs for input arrays; they belong to the caller."""
        for start in range(0, self.batch, max(1, self.images)):
            first = min(start, self.batch - self.images)  # the last slice may overlap the one before
            part = slice(first, first + self.images)
            values = [array[part] for array in arrays]
            if self.first:
                _write(values, self.first.inputs)
                values = self.first.run()
            _write(values, [memory[part] for memory in self.rest.inputs])
        return [np.array(result) for result in self.rest.run()]


def _write(values: list[np.ndarray], memory: list[np.ndarray]) -> None:
    for value, place in zip(values, memory):
        place[...] = value


def _cut(instructions: list[Instruction], weights: dict[int, list[Any]], batch: int) -> tuple[int, int]:
    """(instructions that take a slice at a time, images in a slice); none where a batch fits the cache.

    They end with the layer that takes in the last output that does not fit.
    """
    light = list(takewhile(lambda item: _is_light(item, weights), instructions))
    sizes = [item.output.bytes for item in light]
    large = [position for position, size in enumerate(sizes) if size * batch > CACHE]
    if batch <= 1 or not large:
        return 0, batch
    return min(large[-1] + 2, len(light)), max(1, CACHE // max(sizes))


def _is_light(item: Instruction, weights: dict[int, list[Any]]) -> bool:
    """Whether an instruction works on each image alone and has fewer weights than it writes numbers for one."""
    if item.function not in SAMPLEWISE or item.output.rows != 1:
        return False
    own = weights.get(id(item))
    return own is None or own[0].data.nbytes <= item.output.bytes
