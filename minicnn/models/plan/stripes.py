"""Stripes: a chain of convolutions and poolings of one image, a few rows at a time.

Between two narrow places of a network, where a value is small, may lie layers with large outputs.  Such a chain runs
stripe by stripe: some rows of its result, the rows that these need of the layer before, and so on.  What is large is
then never there as a whole, and a stripe of it is still in cache when the next layer reads it.  Rows at the edge of two
stripes are computed twice.  A stripe changes no bit of a result: what a kernel computes in tiles of several rows, as
Winograd's do, is cut between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd, lcm
from typing import Any

from minicnn import kernels
from minicnn.ops.conv import Conv2D, DepthwiseConv2D
from minicnn.ops.pool import MaxPool2D

from .trace import Instruction, Value

STRIPE = 1 << 20  # bytes of a stripe of the largest value, about: it stays in the second-level cache
WEIGHTS = 1 << 20  # bytes of weights that every stripe may read again
Bound = dict[int, list[Any]]  # weights and bias of an instruction, by its id, as its kernel takes them


@dataclass
class Part:
    """What an instruction of a chain does for one stripe: these rows of its output, from those of its input."""

    item: Instruction
    rows: range
    input_rows: range
    options: dict[str, Any]  # the padding is that of the stripe


def chains(instructions: list[Instruction], outputs: list[Any], weights: Bound) -> Iterator[list[Instruction]]:
    """The instructions in order, those together that are to run in stripes."""
    uses = Counter(id(value) for item in instructions for value in item.values())
    uses.update(id(value) for value in outputs)
    chain: list[Instruction] = []
    for item in instructions:
        if chain and not (_continues(chain, item, uses) and all(_by_rows(i, weights) for i in (chain[-1], item))):
            yield from _worthwhile(chain)
            chain = []
        chain.append(item)
    yield from _worthwhile(chain)


def _continues(chain: list[Instruction], item: Instruction, uses: Counter[int]) -> bool:
    """Whether an instruction belongs to the chain before it: it alone reads its result, which is not a narrow place."""
    last, before = chain[-1], chain[-1].inputs[0]
    if not item.inputs or item.inputs[0] is not last.output or uses[id(last.output)] > 1:
        return False
    return isinstance(before, Value) and not item.output.bytes > last.output.bytes < before.bytes


def _by_rows(item: Instruction, weights: Bound) -> bool:
    """Whether an instruction computes every row in the same way, with few weights."""
    if item.function not in (Conv2D, DepthwiseConv2D, MaxPool2D) or item.output.rows != 1:
        return False
    taps, window = _window(item)
    inside = max(window.padding[0]) < kernels.span(taps[0], window.dilation[0])  # no row is of padding alone
    if item.function is MaxPool2D or not inside:
        return inside
    if id(item) not in weights:
        return False
    w = weights[id(item)][0]
    known = item.function is DepthwiseConv2D or isinstance(w, kernels.conv2d.Prepared)
    return known and w.data.nbytes <= WEIGHTS


def _row_step(item: Instruction, weights: Bound) -> int:
    """How many rows an instruction computes together."""
    w = weights.get(id(item), [None])[0]
    return w.row_step if isinstance(w, kernels.conv2d.Prepared) else 1


def _worthwhile(chain: list[Instruction]) -> Iterator[list[Instruction]]:
    """The chain, or its instructions one by one where all that lies between them is small."""
    if any(item.output.bytes > 4 * STRIPE for item in chain[:-1]):
        yield chain
    else:
        yield from ([item] for item in chain)


def stripes(chain: list[Instruction], weights: Bound) -> Iterator[list[Part]]:
    """The parts of each stripe, in order."""
    largest = max(item.output.bytes for item in chain[:-1])
    height, unit = chain[-1].output.shape[1], _unit(chain, weights)
    rows = max(1, height * STRIPE // largest // unit) * unit
    for start in range(0, height, rows):
        parts: list[Part] = []
        needed = range(start, min(start + rows, height))
        for item in reversed(chain):
            parts.insert(0, _part(item, needed, _row_step(item, weights)))
            needed = parts[0].input_rows
        yield parts


def scratch_bytes(grouped: list[list[Instruction]], weights: Bound) -> int:
    """Bytes of the largest stripe of any value within a chain."""
    between = [part for chain in grouped if len(chain) > 1 for parts in stripes(chain, weights) for part in parts[:-1]]
    return max((p.item.output.bytes // p.item.output.shape[1] * len(p.rows) for p in between), default=0)


def _unit(chain: list[Instruction], weights: Bound) -> int:
    """The least number of rows of a chain's result for which what is computed together is not cut."""
    unit, stride = 1, 1
    for item in reversed(chain):
        step = _row_step(item, weights)
        unit = lcm(unit, step // gcd(step, stride))
        stride *= _window(item)[1].strides[0]
    return unit


def _part(item: Instruction, rows: range, step: int) -> Part:
    """Which rows of the input some rows of the output see; what they see above and below the image is padding."""
    rows = range(rows.start // step * step, min(-(-rows.stop // step) * step, item.output.shape[1]))
    (taps, window), height = _window(item), item.inputs[0].shape[1]
    first, last = (i * window.strides[0] - window.padding[0][0] for i in (rows[0], rows[-1]))
    end = last + kernels.span(taps[0], window.dilation[0])
    inside = range(max(first, 0), min(end, height))
    padding = (inside.start - first, end - inside.stop), window.padding[1]
    return Part(item, rows, inside, {**item.options, "padding": padding})


def _window(item: Instruction) -> tuple[kernels.Pair, kernels.Window]:
    """(height and width of what slides over the image, how it slides)."""
    options, dilation = item.options, item.options.get("dilation", 1)
    if item.function is MaxPool2D:
        taps = kernels.pair(options["pool_size"], "pool_size")
    else:
        taps = item.inputs[1].shape[:2]
    strides = taps if options["strides"] is None else options["strides"]
    return taps, kernels.resolve_window(item.inputs[0].shape[1:3], taps, strides, options["padding"], dilation)
