"""Stripes: a chain of convolutions of one image, a few rows at a time.

Between two narrow places of a network, where a value is small, may lie layers with large outputs.  Such a chain runs
stripe by stripe: some rows of its result, the rows that these need of the layer before, and so on.  What is large is
then never there as a whole, and a stripe of it is still in cache when the next layer reads it.  Rows at the edge of two
stripes are computed twice.  A stripe changes no bit of a result: kernels that compute a row in another way in another
place, as Winograd's do, take no part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from minicnn import kernels
from minicnn.ops.conv import Conv2D, DepthwiseConv2D

from .trace import Instruction, Value

STRIPE = 1 << 20  # bytes of a stripe of the largest value, about: it stays in the second-level cache


@dataclass
class Part:
    """What an instruction of a chain does for one stripe: these rows of its output, from those of its input."""

    item: Instruction
    rows: range
    input_rows: range
    options: dict[str, Any]  # the padding is that of the stripe


def chains(
    instructions: list[Instruction], outputs: list[Any], weights: dict[int, list[Any]]
) -> Iterator[list[Instruction]]:
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


def _by_rows(item: Instruction, weights: dict[int, list[Any]]) -> bool:
    """Whether an instruction is a convolution that computes every row in the same way."""
    if item.function not in (Conv2D, DepthwiseConv2D) or id(item) not in weights or item.output.rows != 1:
        return False
    window, w = _window(item), weights[id(item)][0]
    inside = max(window.padding[0]) < kernels.span(
        item.inputs[1].shape[0], window.dilation[0]
    )  # no row is made of padding alone
    return inside and (item.function is DepthwiseConv2D or (isinstance(w, kernels.conv2d.Prepared) and w.by_rows))


def _worthwhile(chain: list[Instruction]) -> Iterator[list[Instruction]]:
    """The chain, or its instructions one by one where all that lies between them is small."""
    if any(item.output.bytes > 2 * STRIPE for item in chain[:-1]):
        yield chain
    else:
        yield from ([item] for item in chain)


def stripes(chain: list[Instruction]) -> Iterator[list[Part]]:
    """The parts of each stripe, in order."""
    largest = max(item.output.bytes for item in chain[:-1])
    height = chain[-1].output.shape[1]
    rows = max(1, height * STRIPE // largest)
    for start in range(0, height, rows):
        parts: list[Part] = []
        needed = range(start, min(start + rows, height))
        for item in reversed(chain):
            parts.insert(0, _part(item, needed))
            needed = parts[0].input_rows
        yield parts


def scratch_bytes(grouped: list[list[Instruction]]) -> int:
    """Bytes of the largest stripe of any value within a chain."""
    between = [part for chain in grouped if len(chain) > 1 for parts in stripes(chain) for part in parts[:-1]]
    return max((p.item.output.bytes // p.item.output.shape[1] * len(p.rows) for p in between), default=0)


def _part(item: Instruction, rows: range) -> Part:
    """Which rows of the input some rows of the output see; what they see above and below the image is padding."""
    window, height = _window(item), item.inputs[0].shape[1]
    first, last = (i * window.strides[0] - window.padding[0][0] for i in (rows[0], rows[-1]))
    end = last + kernels.span(item.inputs[1].shape[0], window.dilation[0])
    inside = range(max(first, 0), min(end, height))
    padding = (inside.start - first, end - inside.stop), window.padding[1]
    return Part(item, rows, inside, {**item.options, "padding": padding})


def _window(item: Instruction) -> kernels.Window:
    size, taps = item.inputs[0].shape[1:3], item.inputs[1].shape[:2]
    return kernels.resolve_window(size, taps, *(item.options[k] for k in ("strides", "padding", "dilation")))
