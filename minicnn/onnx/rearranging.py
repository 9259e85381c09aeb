"""REARRANGED: the forms of the functions that give numbers another place, or take some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from minicnn.kernels import pair
from minicnn.layers.functions import MIRRORED, moved, swapped, takes_all, without_ellipsis

from .graph import Graph, Value, axes_of, to_first
from .shapes import NEAREST, TO_THE_END, reshaped, resized

BACKWARDS = slice(None, None, -1)


def _reshape(graph: Graph, x: Value, newshape: Sequence[int | None] = ()) -> Value:
    return reshaped(graph, x, [-1 if size is None else int(size) for size in newshape[1:]])


def _transpose(graph: Graph, x: Value, axes: Any = None) -> Value:
    order = [*reversed(range(x.rank))] if axes is None else axes
    return Value(graph.node("Transpose", x.name, perm=[x.axis(axis) for axis in order]), x.rank)


def _swapaxes(graph: Graph, x: Value, axis1: int = 1, axis2: int = 2) -> Value:
    return _transpose(graph, x, swapped(x.rank, *axes_of((axis1, axis2), x.rank)))


def _moveaxis(graph: Graph, x: Value, source: Any = 1, destination: Any = 1) -> Value:
    return _transpose(graph, x, moved(x.rank, axes_of(source, x.rank), axes_of(destination, x.rank)))


def _expand_dims(graph: Graph, x: Value, axis: Any = -1) -> Value:
    rank = x.rank + (1 if isinstance(axis, int) else len(axis))
    return Value(graph.node("Unsqueeze", graph.last(x).name, graph.integers(*axes_of(axis, rank))), rank)


def _squeeze(graph: Graph, x: Value, axis: Any = None) -> Value:
    axes = [i for i in range(1, x.rank) if x.shape[i] == 1] if axis is None else axes_of(axis, x.rank)
    return Value(graph.node("Squeeze", graph.last(x).name, graph.integers(*axes)), x.rank - len(axes)) if axes else x


def _concatenate(graph: Graph, xs: list[Any], axis: int = 0) -> Value:
    first, *others = graph.alike([graph.value(x) for x in xs])
    return graph.apply("Concat", first, *(value.name for value in others), axis=first.axis(axis))


def _stack(graph: Graph, xs: list[Any], axis: int = 0) -> Value:
    values = [graph.value(x) for x in xs]
    (place,) = axes_of(axis, values[0].rank + 1)
    return _concatenate(graph, [_expand_dims(graph, value, place) for value in values], place)


def _sliced(graph: Graph, x: Value, parts: dict[int, slice]) -> Value:
    """x[parts], by axes."""
    steps = [part.step or 1 for part in parts.values()]
    starts = [
        (0 if step > 0 else TO_THE_END) if part.start is None else part.start
        for part, step in zip(parts.values(), steps)
    ]
    ends = [
        (TO_THE_END if step > 0 else -TO_THE_END) if part.stop is None else part.stop
        for part, step in zip(parts.values(), steps)
    ]
    places = [x.axis(axis) for axis in parts]
    return graph.apply("Slice", x, *(graph.integers(*numbers) for numbers in (starts, ends, places, steps)))


def _split(graph: Graph, x: Value, indices_or_sections: Any = 2, axis: int = 0) -> list[Value]:
    """Equal parts, or those between some indices."""
    (place,), ends = axes_of(axis, x.rank), indices_or_sections
    if isinstance(ends, int):
        names = graph.several("Split", ends, x.name, axis=x.axis(place))
        return [Value(name, x.rank, x.first) for name in names]
    return [_sliced(graph, x, {place: slice(*edges)}) for edges in pairwise([None, *ends, None])]


def _split_sizes(graph: Graph, x: Value, num_or_size_splits: Any = 2, axis: int = 0) -> list[Value]:
    """What comes after the part of size -1 is counted from the end."""
    sizes = num_or_size_splits
    if not isinstance(sizes, int):
        ends = range(1, len(sizes))
        sizes = [-sum(sizes[end:]) if -1 in sizes[:end] else sum(sizes[:end]) for end in ends]
    return _split(graph, x, sizes, axis)


def _unstack(graph: Graph, x: Value, num: int | None = None, axis: int = 0) -> list[Value]:
    x, (place,) = graph.last(x), axes_of(axis, x.rank)
    count = x.shape[place] or 0  # which is known, or the operation had no number of outputs
    return [
        Value(graph.node("Gather", x.name, graph.constant(i, np.int64), axis=place), x.rank - 1) for i in range(count)
    ]


def _get_item(graph: Graph, x: Value, key: Any = ()) -> Value:
    """Numbers are taken as slices of one, of which the axis goes then; the new axes come last."""
    key = without_ellipsis(key, x.rank)
    items = [item for item in key if item is not None]
    numbers = [axis for axis, item in enumerate(items) if isinstance(item, int)]
    parts = {
        axis: slice(item, item + 1 or None) if axis in numbers else item
        for axis, item in enumerate(items)
        if not takes_all(item)
    }
    y = _sliced(graph, x, parts) if parts else x
    y = _squeeze(graph, y, numbers) if numbers else y
    new = [i for i, item in enumerate(item for item in key if not isinstance(item, int)) if item is None]
    return _expand_dims(graph, y, new) if new else y


def _flip(graph: Graph, x: Value, axis: Any = None) -> Value:
    return _sliced(graph, x, dict.fromkeys(axes_of(axis, x.rank), BACKWARDS))


def _pad(graph: Graph, x: Value, pad_width: Any = (), mode: str = "constant", constant_values: Any = 0.0) -> Value:
    sides = [pair(side, "pad_width", least=0) for side in pad_width] * (x.rank if len(pad_width) == 1 else 1)
    if mode.lower() in MIRRORED:
        for axis, (before, after) in enumerate(sides):
            x = _mirrored(graph, x, axis, before, after, edge=int(mode.lower() == "reflect"))
        return x
    sides = [sides[axis] for axis in to_first(x.rank)] if x.first else sides
    before, after = zip(*sides)
    return graph.apply("Pad", x, graph.integers(*before, *after), graph.constant(constant_values or 0.0))


def _mirrored(graph: Graph, x: Value, axis: int, before: int, after: int, edge: int) -> Value:
    """x with its first and last numbers along an axis once more, backwards; without the `edge` numbers at each end."""
    parts = [x]
    if before:
        parts.insert(0, _sliced(graph, x, {axis: slice(before - 1 + edge, edge - 1 if edge else None, -1)}))
    if after:
        parts.append(_sliced(graph, x, {axis: slice(-1 - edge, -1 - edge - after, -1)}))
    return _concatenate(graph, parts, axis) if len(parts) > 1 else x


def _repeat(graph: Graph, x: Value, repeats: int = 1, axis: Any = None) -> Value:
    scales = np.ones(x.rank)
    scales[[x.axis(one) for one in axes_of(axis, x.rank)]] = repeats
    return graph.apply("Resize", x, "", graph.constant(scales), **NEAREST)


def _tile(graph: Graph, x: Value, repeats: Any = ()) -> Value:
    counts = [repeats] if isinstance(repeats, int) else [*repeats]
    return graph.apply("Tile", graph.last(x), graph.integers(*[1] * (x.rank - len(counts)), *counts))


def _resize(
    graph: Graph,
    x: Value,
    size: Any = (),
    interpolation: str = "bilinear",
    antialias: bool = False,
    data_format: Any = None,
) -> Value:
    options = pair(size, "size"), interpolation.lower(), bool(antialias)
    if data_format != "channels_first":
        return resized(graph, x, *options)
    x = graph.last(x)
    count, channels, *sides = x.shape
    y = resized(graph, replace(x, first=True, shape=(count, *sides, channels)), *options)
    return replace(graph.first(y), first=False)


def _blocks(kind: str, graph: Graph, x: Value, block_size: int = 2, data_format: Any = None) -> Value:
    return graph.apply(kind, graph.first(x), blocksize=block_size)


REARRANGED: dict[str, Callable[..., Any]] = {
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Swapaxes": _swapaxes,
    "Moveaxis": _moveaxis,
    "Concatenate": _concatenate,
    "Stack": _stack,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "Split": _split,
    "SplitSizes": _split_sizes,
    "Unstack": _unstack,
    "GetItem": _get_item,
    "Flip": _flip,
    "Pad": _pad,
    "Repeat": _repeat,
    "Tile": _tile,
    "Resize": _resize,
    "DepthToSpace": partial(_blocks, "DepthToSpace"),
    "SpaceToDepth": partial(_blocks, "SpaceToDepth"),
}
