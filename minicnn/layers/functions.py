"""FUNCTIONS: what an Operation computes, by the name that Keras 3 gives it.

Positional arguments are tensors, or the list `xs` of them; the others say how.  Axes are Keras', with the batch as the
first one, along which nothing is summed, moved or cut: a sample's result depends on this sample alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import one_of
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError, UnsupportedError
from minicnn.kernels import pair

MIRRORED = ("reflect", "symmetric")
EVERY = slice(None)
PARTS, TIMES = 2**12, 2**16  # what a split may give, and how often a repetition may repeat


def _up_to(most: int, count: Any, what: str) -> int:
    """A number that costs time or memory when a file is read, before any array is there."""
    if not isinstance(count, int) or not 1 <= count <= most:
        raise ShapeError(f"{what}: {count!r} is no whole number from 1 to {most:,}")
    return count


def axes_of(x: Tensor, axis: Any, also_new: int = 0) -> tuple[int, ...]:
    """Axes of the samples of x, counted from the first; all of them for None."""
    rank = x.ndim + also_new
    listed = [*range(1, rank)] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    if not all(isinstance(one, int) and -rank <= one < rank for one in listed):
        raise ShapeError(f"inputs of shape {x.shape} do not have the axes {axis}")
    found = tuple(one % rank for one in listed)
    if axis is None or 0 in found:
        raise UnsupportedError(f"axis {axis} has the samples, whose results may not depend on each other in minicnn")
    return found


def mean(x: Tensor, /, axis: Any = None, keepdims: bool = False) -> Tensor:
    axes = axes_of(x, axis)
    if x.ndim == 4 and sorted(axes) == [1, 2]:
        return ops.global_avgpool2d(x, bool(keepdims))
    return x.sum(axes, bool(keepdims)) * (1.0 / prod(x.shape[one] for one in axes))


def variance(x: Tensor, /, axis: Any = None, keepdims: bool = False) -> Tensor:
    difference = x - mean(x, axis, True)
    return mean(difference * difference, axis, keepdims)


def clip(x: Tensor, /, x_min: float | None = None, x_max: float | None = None) -> Tensor:
    if x_min is not None:
        x = ops.maximum(x, constant(x, x_min))
    return x if x_max is None else ops.minimum(x, constant(x, x_max))


def constant(like: Tensor, value: Any) -> Tensor:
    return Tensor(np.asarray(value, like.dtype))


def power(x: Tensor, /, exponent: float = 1.0) -> Tensor:
    return x * x if exponent == 2 else x**exponent


def normalize(x: Tensor, /, axis: Any = -1, order: float = 2, epsilon: float | None = None) -> Tensor:
    """Keras 3: x min(1 / |x|, 1 / epsilon)"""
    if order != 2:
        raise UnsupportedError(f"normalisation by the norm of order {order}; minicnn has that of order 2")
    epsilon = 1e-7 if epsilon is None else epsilon
    return l2_normalize(x, axis, epsilon * epsilon)


def l2_normalize(x: Tensor, /, axis: Any = -1, epsilon: float = 1e-12) -> Tensor:
    """TensorFlow: x / sqrt(max(sum of x^2, epsilon))"""
    squares = (x * x).sum(axes_of(x, axis), True)
    return x * ops.maximum(squares, constant(x, epsilon)) ** -0.5


def reshape(x: Tensor, /, newshape: Sequence[int | None] = ()) -> Tensor:
    """The first size is that of the batch, however it is said; what would move numbers between samples does not fit."""
    first, *rest = newshape
    if first not in (-1, None):
        raise UnsupportedError(f"a reshape to {tuple(newshape)} fixes the number of samples; minicnn leaves it free")
    return ops.reshape(x, tuple(-1 if size is None else int(size) for size in rest))


def transpose(x: Tensor, /, axes: Any = None) -> Tensor:
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(axis % x.ndim for axis in axes)
    if order[:1] != (0,):
        raise UnsupportedError(f"a transposition {order} moves the axis of the samples")
    return ops.permute(x, order[1:])


def swapaxes(x: Tensor, /, axis1: int = 1, axis2: int = 2) -> Tensor:
    return transpose(x, swapped(x.ndim, *axes_of(x, (axis1, axis2))))


def swapped(rank: int, axis1: int, axis2: int) -> list[int]:
    """The order of axes with two of them in each other's place."""
    order = list(range(rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return order


def moveaxis(x: Tensor, /, source: Any = 1, destination: Any = 1) -> Tensor:
    return transpose(x, moved(x.ndim, axes_of(x, source), axes_of(x, destination)))


def moved(rank: int, sources: Sequence[int], places: Sequence[int]) -> list[int]:
    """The order of axes with some of them in other places, both counted from the first."""
    order = [axis for axis in range(rank) if axis not in sources]
    for place, axis in sorted(zip(places, sources)):
        order.insert(place, axis)
    return order


def concatenate(xs: list[Tensor], /, axis: int = 0) -> Tensor:
    return ops.concatenate(xs, *axes_of(xs[0], axis))


def stack(xs: list[Tensor], /, axis: int = 0) -> Tensor:
    (place,) = axes_of(xs[0], axis, also_new=1)
    return ops.concatenate([expand_dims(x, place) for x in xs], place)


def expand_dims(x: Tensor, /, axis: Any = -1) -> Tensor:
    count = 1 if isinstance(axis, int) else len(axis)
    places = axes_of(x, axis, also_new=count)
    sizes = iter(x.shape[1:])
    return ops.reshape(x, tuple(1 if i in places else next(sizes) for i in range(1, x.ndim + count)))


def squeeze(x: Tensor, /, axis: Any = None) -> Tensor:
    places = [i for i in range(1, x.ndim) if x.shape[i] == 1] if axis is None else axes_of(x, axis)
    if any(x.shape[place] != 1 for place in places):
        raise ShapeError(f"squeeze: the axes {axis} of {x.shape} are not all 1")
    return ops.reshape(x, tuple(size for i, size in enumerate(x.shape) if i and i not in places))


def split(x: Tensor, /, indices_or_sections: Any = 2, axis: int = 0) -> list[Tensor]:
    """Equal parts, or those between some indices."""
    (place,) = axes_of(x, axis)
    size, ends = x.shape[place], indices_or_sections
    _up_to(PARTS, ends if isinstance(ends, int) else len(ends) + 1, "parts of a split")
    if isinstance(ends, int):
        if size % ends:
            raise ShapeError(f"split: {size} along axis {axis} are no {ends} equal parts")
        ends = range(size // ends, size, size // ends)
    return [ops.pick(x, (*[EVERY] * place, slice(*edges))) for edges in zip([0, *ends], [*ends, size])]


def split_sizes(x: Tensor, /, num_or_size_splits: Any = 2, axis: int = 0) -> list[Tensor]:
    """TensorFlow's: a number of parts, or their sizes, of which one may be -1: what is left."""
    sizes = num_or_size_splits
    if not isinstance(sizes, int):
        (place,) = axes_of(x, axis)
        left = x.shape[place] - sum(sizes) - 1
        sizes = np.cumsum([left if size == -1 else size for size in sizes])[:-1].tolist()
    return split(x, sizes, axis)


def unstack(x: Tensor, /, num: int | None = None, axis: int = 0) -> list[Tensor]:
    (place,) = axes_of(x, axis)
    return [ops.pick(x, (*[EVERY] * place, i)) for i in range(_up_to(PARTS, x.shape[place], "parts of an unstack"))]


def get_item(x: Tensor, /, key: Any = ()) -> Tensor:
    """x[key], key made of slices, numbers, None and ...; all samples are taken."""
    key = without_ellipsis(key, x.ndim)
    if not all(item is None or isinstance(item, int | slice) for item in key):
        raise UnsupportedError(f"an index {key!r}; minicnn takes numbers and slices")
    if not all(map(takes_all, key[:1])):
        raise UnsupportedError(f"the index {key[0]!r} takes some of the samples; minicnn takes all of a batch")
    if all(map(takes_all, key)):
        return x
    y = ops.pick(x, tuple(item for item in key if item is not None))
    new = [i for i, item in enumerate(item for item in key if not isinstance(item, int)) if item is None]
    return expand_dims(y, new) if new else y


def takes_all(item: Any) -> bool:
    """Whether an index along one axis leaves it as it is."""
    return isinstance(item, slice) and item.start in (None, 0) and item.stop is None and item.step in (None, 1)


def without_ellipsis(key: Any, rank: int) -> tuple[Any, ...]:
    """An index as a tuple, with the slices that ... stands for."""
    key = tuple(key) if isinstance(key, (list, tuple)) else (key,)
    if not any(item is ... for item in key):
        return key
    place = next(i for i, item in enumerate(key) if item is ...)
    taken = sum(item is not None for item in key) - 1
    return (*key[:place], *[EVERY] * (rank - taken), *key[place + 1 :])


def flip(x: Tensor, /, axis: Any = None) -> Tensor:
    axes = axes_of(x, axis)
    return ops.pick(x, tuple(slice(None, None, -1) if i in axes else EVERY for i in range(x.ndim)))


def pad(x: Tensor, /, pad_width: Any = (), mode: str = "constant", constant_values: float | None = 0.0) -> Tensor:
    """Numbers around x: one value, or x itself as in a mirror, whose edge is repeated if it is "symmetric"."""
    mode = one_of("pad", "mode", str(mode).lower(), ["constant", *MIRRORED])
    sides = [pair(side, "pad_width", least=0) for side in pad_width] * (x.ndim if len(pad_width) == 1 else 1)
    if len(sides) != x.ndim or any(sides[0]):
        raise UnsupportedError(f"padding {pad_width} of inputs {x.shape}, of which the first axis has the samples")
    if mode == "constant":
        return ops.surround(x, sides[1:], constant_values or 0.0)
    for axis, both in enumerate(sides):
        x = _mirrored(x, axis, *both, edge=int(mode == "reflect")) if any(both) else x
    return x


def _mirrored(x: Tensor, axis: int, before: int, after: int, edge: int) -> Tensor:
    """x with its first and last numbers along an axis once more, backwards; without the `edge` numbers at each end."""
    size = x.shape[axis]
    if max(before, after) > size - edge:
        raise ShapeError(f"a mirror of {size} along axis {axis} has no {max(before, after)} numbers to pad with")
    ends = slice(edge, edge + before), slice(size - edge - after, size - edge)
    first, last = (flip(ops.pick(x, (*[EVERY] * axis, end)), axis) for end in ends)
    return ops.concatenate([*[first] * bool(before), x, *[last] * bool(after)], axis)


def repeat(x: Tensor, /, repeats: int = 1, axis: Any = None) -> Tensor:
    (place,) = axes_of(x, axis)
    return _joined(_times(expand_dims(x, place + 1), place + 1, repeats), place)


def _times(x: Tensor, axis: int, count: Any) -> Tensor:
    """x so many times along an axis where it has one number."""
    return x * Tensor(np.ones((_up_to(TIMES, count, "repetitions"), *[1] * (x.ndim - axis - 1)), x.dtype))


def _joined(x: Tensor, axis: int) -> Tensor:
    """x with an axis and the next as one."""
    return ops.reshape(x, (*x.shape[1:axis], x.shape[axis] * x.shape[axis + 1], *x.shape[axis + 2 :]))


def tile(x: Tensor, /, repeats: Any = ()) -> Tensor:
    counts = [repeats] if isinstance(repeats, int) else list(repeats)
    counts = [1] * (x.ndim - len(counts)) + counts
    if len(counts) != x.ndim or counts[0] != 1:
        raise UnsupportedError(f"tiling {repeats} of inputs {x.shape}: one number for each axis, 1 for the samples")
    for axis, count in enumerate(counts):
        if count != 1:
            x = _joined(_times(expand_dims(x, axis), axis, count), axis)
    return x


def resize(
    x: Tensor, /, size: Any = (), interpolation: str = "bilinear", antialias: bool = False, data_format: Any = None
) -> Tensor:
    if data_format == "channels_first":
        return transpose(resize(transpose(x, (0, 2, 3, 1)), size, interpolation, antialias), (0, 3, 1, 2))
    height, width = pair(size, "size")
    return ops.resize(x, (height, width), str(interpolation).lower(), bool(antialias))


def depth_to_space(x: Tensor, /, block_size: int = 2, data_format: Any = "channels_last") -> Tensor:
    """y (N,H b,W b,C): the channels of each pixel of x (N,H,W,b b C) as a square of pixels."""
    _, height, width, channels = _channels_last(x, data_format)
    squares = ops.reshape(x, (height, width, block_size, block_size, -1))
    y = ops.permute(squares, (1, 3, 2, 4, 5))
    return ops.reshape(y, (height * block_size, width * block_size, channels // block_size**2))


def space_to_depth(x: Tensor, /, block_size: int = 2, data_format: Any = "channels_last") -> Tensor:
    """y (N,H/b,W/b,b b C): each square of b x b pixels of x (N,H,W,C) as one pixel."""
    _, height, width, channels = _channels_last(x, data_format)
    rows = ops.reshape(x, (height // block_size, block_size, width // block_size, block_size, channels))
    y = ops.permute(rows, (1, 3, 2, 4, 5))
    return ops.reshape(y, (height // block_size, width // block_size, -1))


def _channels_last(x: Tensor, data_format: Any) -> tuple[int, ...]:
    if x.ndim != 4 or data_format not in (None, "channels_last", "NHWC"):
        raise ArgumentError(f"inputs must be images (N,H,W,C); they are {x.shape}, data_format {data_format}")
    return x.shape


def softmax(x: Tensor, /, axis: int = -1) -> Tensor:
    return ops.softmax(x, _one_axis(x, axis))


def log_softmax(x: Tensor, /, axis: int = -1) -> Tensor:
    return ops.softmax(x, _one_axis(x, axis), log=True)


def _one_axis(x: Tensor, axis: Any) -> int:
    axes = axes_of(x, axis)
    if len(axes) != 1:
        raise UnsupportedError(f"one axis is taken; these are {axis}")
    return axes[0]


def gelu(x: Tensor, /, approximate: bool = True) -> Tensor:
    """x / 2 (1 + erf(x / sqrt 2)), or with a tanh in the place of erf."""
    if not approximate:
        return ops.activation(x, "gelu")
    inner = (x + x * x * x * 0.044715) * float(np.sqrt(2 / np.pi))
    return x * 0.5 * (ops.activation(inner, "tanh") + constant(x, 1))


def named(name: str) -> Callable[..., Tensor]:
    """An activation without options."""
    return lambda x, /: ops.activation(x, name)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": lambda a, b, /: a + b,
    "Subtract": lambda a, b, /: a - b,
    "Multiply": lambda a, b, /: a * b,
    "TrueDivide": lambda a, b, /: a / b,
    "Divide": lambda a, b, /: a / b,
    "Maximum": lambda a, b, /: ops.maximum(a, b),
    "Minimum": lambda a, b, /: ops.minimum(a, b),
    "Matmul": lambda a, b, /: a @ b,
    "Negative": lambda x, /: -x,
    "Absolute": lambda x, /: abs(x),
    "Square": lambda x, /: x * x,
    "Sqrt": lambda x, /: x**0.5,
    "Rsqrt": lambda x, /: x**-0.5,
    "Reciprocal": lambda x, /: x**-1.0,
    "Exp": named("exponential"),
    "Log": lambda x, /: ops.log(x),
    "Identity": lambda x, /: x,
    "Power": power,
    "Clip": clip,
    "Relu": named("relu"),
    "Relu6": named("relu6"),
    "Sigmoid": named("sigmoid"),
    "Tanh": named("tanh"),
    "Silu": named("swish"),
    "Softplus": named("softplus"),
    "Softsign": named("softsign"),
    "Selu": named("selu"),
    "HardSigmoid": named("hard_sigmoid"),
    "HardSilu": named("hard_silu"),
    "LogSigmoid": named("log_sigmoid"),
    "Elu": lambda x, /, alpha=1.0: ops.activation(x, "elu", alpha=alpha),
    "LeakyRelu": lambda x, /, negative_slope=0.2: ops.activation(x, "leaky_relu", negative_slope=negative_slope),
    "Gelu": gelu,
    "Softmax": softmax,
    "LogSoftmax": log_softmax,
    "Normalize": normalize,
    "L2Normalize": l2_normalize,
    "Mean": mean,
    "Sum": lambda x, /, axis=None, keepdims=False: x.sum(axes_of(x, axis), bool(keepdims)),
    "Max": lambda x, /, axis=None, keepdims=False: ops.largest(x, axes_of(x, axis), bool(keepdims)),
    "Min": lambda x, /, axis=None, keepdims=False: -ops.largest(-x, axes_of(x, axis), bool(keepdims)),
    "Var": variance,
    "Std": lambda x, /, axis=None, keepdims=False: variance(x, axis, keepdims) ** 0.5,
    "Reshape": reshape,
    "Transpose": transpose,
    "Swapaxes": swapaxes,
    "Moveaxis": moveaxis,
    "Concatenate": concatenate,
    "Stack": stack,
    "ExpandDims": expand_dims,
    "Squeeze": squeeze,
    "Split": split,
    "SplitSizes": split_sizes,
    "Unstack": unstack,
    "GetItem": get_item,
    "Flip": flip,
    "Pad": pad,
    "Repeat": repeat,
    "Tile": tile,
    "Resize": resize,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
}
ELEMENTWISE = ("Add", "Subtract", "Multiply", "TrueDivide", "Divide", "Maximum", "Minimum")
OF_NN = (
    "Relu Relu6 Sigmoid Silu Softplus Softsign Selu HardSigmoid HardSilu LogSigmoid Elu LeakyRelu Gelu Softmax "
    "LogSoftmax Normalize DepthToSpace SpaceToDepth"
)
MODULES = {  # of Keras 3, where a function is not in that of NumPy's
    **dict.fromkeys(OF_NN.split(" "), "nn"),
    "Rsqrt": "math",
    "Resize": "image",
    "Unstack": "core",
}
IN_CALLS = ("exponent", "key")  # options that Keras 3 has among the operands,
BY_NAME_IN_CALLS = ("constant_values",)  # and with a name in the call; the others are in the config
TENSORFLOW_ALONE = ("L2Normalize", "SplitSizes")
