"""Sharing: what a trace computes more than once, from the same values in the same way, it computes once.

In NASNet several convolutions of a cell begin with the same ReLU, and one block adds an average to itself.
"""

from __future__ import annotations

from typing import Any

from .trace import Instruction, Trace, Value


def share(trace: Trace) -> None:
    """Leave out the instructions of a trace whose results others have made."""
    results: dict[Any, Value] = {}
    made: dict[int, Value] = {}  # what stands for a result that is left out
    kept: list[Instruction] = []
    for item in trace.instructions:
        item.inputs = [made.get(id(value), value) for value in item.inputs]
        key = (item.function, *map(id, item.inputs), repr(sorted(item.options.items())))
        made[id(item.output)] = results.setdefault(key, item.output)
        if results[key] is item.output:
            kept.append(item)
    trace.instructions[:] = kept
    trace.outputs[:] = [made.get(id(value), value) for value in trace.outputs]
