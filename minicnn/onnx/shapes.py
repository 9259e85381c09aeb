"""Layers that pad, crop, enlarge, resize, or give numbers another order."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.layers.resizing import in_proportions
from minicnn.ops.resize import CUBIC_STEPS, axis_weights

from .graph import Graph, Sides, Value

TO_THE_END = np.iinfo(np.int64).max
BILINEAR = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
CUBIC = {"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.5, "exclude_outside": 1}


def zero_padding(graph: Graph, layer: Any, x: Value) -> Value:
    sides = _pairs(layer.padding)
    y = _padded(graph, x, sides, 0.0)
    graph.padded[y.name] = graph.first(x), sides
    return y


def cropping(graph: Graph, layer: Any, x: Value) -> Value:
    return _cropped(graph, x, _pairs(layer.cropping))


def _pairs(sides: Any) -> Sides:
    """(before, after) of each axis; layers along one axis hold the pair alone."""
    return [sides] if isinstance(sides[0], int) else sides


def _padded(graph: Graph, x: Value, sides: Sides, value: float) -> Value:
    before, after = zip(*sides)
    ends = graph.integers(0, 0, *before, 0, 0, *after)
    return graph.apply("Pad", graph.first(x), ends, graph.constant(value))


def _cropped(graph: Graph, x: Value, sides: Sides) -> Value:
    starts = [before for before, _ in sides]
    ends = [-after if after else TO_THE_END for _, after in sides]
    names = [graph.integers(*numbers) for numbers in (starts, ends, range(2, 2 + len(sides)))]
    return graph.apply("Slice", graph.first(x), *names)


def repeated(graph: Graph, layer: Any, x: Value) -> Value:
    """Each step, or voxel, so many times."""
    factors = layer.size if isinstance(layer.size, tuple) else (layer.size,)
    return graph.apply("Resize", graph.first(x), "", graph.constant([1, 1, *factors]), **NEAREST)


def upsampling(graph: Graph, layer: Any, x: Value) -> Value:
    if layer.interpolation == "nearest":
        return repeated(graph, layer, x)
    if layer.interpolation == "bicubic" and all(CUBIC_STEPS % (2 * factor) == 0 for factor in layer.size):
        how = CUBIC
    elif layer.interpolation == "bilinear":
        how = BILINEAR
    else:
        height, width = (n * factor for n, factor in zip(_known(graph, x), layer.size))
        return resized(graph, x, (height, width), layer.interpolation)
    return graph.apply("Resize", graph.first(x), "", graph.constant([1, 1, *layer.size]), **how)


def resizing(graph: Graph, layer: Any, x: Value) -> Value:
    size = layer.height, layer.width
    if layer.crop_to_aspect_ratio:
        x = _cut_to_proportions(graph, layer, x)
    elif layer.pad_to_aspect_ratio:
        height, width = _known(graph, x)
        wanted = max(height, width * size[0] // size[1]), max(width, height * size[1] // size[0])
        halves = [(new - old) // 2 for new, old in zip(wanted, (height, width))]
        if any(halves):
            sides = [old + 2 * half for old, half in zip((height, width), halves)]
            x = _sized(_padded(graph, x, [(half, half) for half in halves], layer.fill_value), x, sides)
    return resized(graph, x, size, layer.interpolation, layer.antialias)


def center_crop(graph: Graph, layer: Any, x: Value) -> Value:
    size = layer.height, layer.width
    if any(old < new for old, new in zip(_known(graph, x), size)):
        return resized(graph, _cut_to_proportions(graph, layer, x), size)
    return _middle(graph, x, size)


def random_crop(graph: Graph, layer: Any, x: Value) -> Value:
    sides, size = _known(graph, x), (layer.height, layer.width)
    if layer.in_inference == "keep" or sides == size:
        return x
    cut = layer.cropping(sides)
    left = tuple(side - sum(ends) for side, ends in zip(sides, cut))
    x = _sized(_cropped(graph, x, cut), x, left) if left != sides else x
    return x if left == size else resized(graph, x, size)


def resized(graph: Graph, x: Value, size: tuple[int, int], method: str = "bilinear", antialias: bool = False) -> Value:
    """By what ONNX has as Keras has it; else by the weights of rows and columns, as minicnn/ops/resize.py."""
    y = graph.first(x)
    if method == "bilinear" and not antialias:
        sizes = graph.sizes(graph.node("Shape", y.name, end=2), size)
        return graph.apply("Resize", y, "", "", sizes, **BILINEAR)
    if method == "nearest":
        for axis, target in zip((2, 3), size):
            y = graph.apply("Gather", y, _nearest(graph, y, axis, target), axis=axis)
        return y
    rows, columns = (axis_weights(old, new, method, antialias) for old, new in zip(_known(graph, x), size))
    y = Value(graph.node("MatMul", graph.constant(rows), y.name), 4, True)
    return graph.apply("MatMul", y, graph.constant(columns.T))


def _nearest(graph: Graph, y: Value, axis: int, target: int) -> str:
    """The numbers of the rows, or columns, that are nearest: those of `axis_weights`, for any size."""
    size = graph.cast(graph.node("Shape", y.name, start=axis, end=axis + 1), "FLOAT")
    scale = graph.node("Div", size, graph.constant(target))
    places = graph.node("Mul", graph.constant(np.arange(target) + 0.5), scale)
    last = graph.node("Sub", size, graph.constant(1))
    return graph.cast(graph.node("Min", graph.node("Floor", places), last), "INT64")


def _cut_to_proportions(graph: Graph, layer: Any, x: Value) -> Value:
    """The largest middle part with the proportions of the output."""
    return _middle(graph, x, in_proportions(_known(graph, x), (layer.height, layer.width)))


def _middle(graph: Graph, x: Value, size: Sequence[int]) -> Value:
    rests = [old - new for old, new in zip(_known(graph, x), size)]
    sides = [(rest // 2, rest - rest // 2) for rest in rests]
    return _sized(_cropped(graph, x, sides), x, size) if any(rests) else x


def _sized(y: Value, x: Value, sides: Sequence[int]) -> Value:
    """y with the sides that x has become."""
    return Value(y.name, y.rank, y.first, (x.shape[0], *sides, x.shape[-1]))


def _known(graph: Graph, x: Value) -> tuple[int, int]:
    """The sides of images."""
    height, width = x.shape[1:3]
    if height is None or width is None:
        raise UnsupportedError(
            f"layer {graph.layer}: so to cut or resize images of any size has no form in ONNX; give the model's Input "
            "a height and a width"
        )
    return height, width


def flatten(graph: Graph, layer: Any, x: Value) -> Value:
    return Value(graph.node("Flatten", graph.last(x).name), 2)


def reshape(graph: Graph, layer: Any, x: Value) -> Value:
    return reshaped(graph, x, layer.target_shape)


def reshaped(graph: Graph, x: Value, target: Sequence[int]) -> Value:
    """Each sample in another shape, in which one size may be -1.

    No size is left to be found out by the engine, which could not find that of an empty batch.
    (A shape that is put together by Concat, ONNX Runtime turns into one with -1.)
    """
    x, sizes = graph.last(x), [0, *target]  # 0: as many samples as there are
    if -1 not in target:
        shape = graph.integers(*sizes)
    elif None not in x.shape[1:]:
        left = prod(n for n in x.shape[1:] if n) // prod(n for n in target if n != -1)
        shape = graph.integers(*(left if size == -1 else size for size in sizes))
    else:
        total = graph.node("ReduceProd", graph.node("Shape", x.name, start=1), keepdims=1)
        left = graph.node("Div", total, graph.integers(prod(n for n in target if n != -1)))
        free = graph.constant([size == -1 for size in sizes], np.bool_)
        shape = graph.node("Where", free, left, graph.integers(*sizes))
    return Value(graph.node("Reshape", x.name, shape), len(sizes))


def permute(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.apply("Transpose", graph.last(x), perm=[0, *layer.dims])


def repeat_vector(graph: Graph, layer: Any, x: Value) -> Value:
    y = graph.node("Unsqueeze", x.name, graph.integers(1))
    return Value(graph.node("Tile", y, graph.integers(1, layer.n, 1)), 3)
