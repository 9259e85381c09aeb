"""Sharing: what a trace computes more than once, from the same values in the same way, it computes once.

In NASNet several convolutions of a cell begin with the same ReLU, and one block adds an average to itself.  Padding is
not shared: each convolution or pooling after it takes it in.
"""

from __future__ import annotations

from typing import Any

from minicnn.ops.shape import ZeroPadding2D

from .trace import Instruction, Trace, Value


def share(trace: Trace) -> None:
    """Leave out the instructions of a trace whose results others have made."""
    results: dict[Any, Value] = {}
    made: dict[int, Value] = {}  # what stands for a result that is left out
    kept: list[Instruction] = []
    for item in trace.instructions:
        item.inputs = [made.get(id(value), value) for value in item.inputs]
        key = (item.function, *map(id, item.inputs), repr(sorted(item.options.items())))
        if item.function is ZeroPadding2D or key not in results:
            results[key] = item.output
            kept.append(item)
        else:
            made[id(item.output)] = results[key]
    trace.instructions[:] = kept
    trace.outputs[:] = [made.get(id(value), value) for value in trace.outputs]
