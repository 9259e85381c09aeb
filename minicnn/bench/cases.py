"""Cases: one direction of an operation on arrays of one shape, with what it computes and moves at the least.

`BUILDERS` has a function for each operation, which makes the cases of all its directions from a `Layer`, the sizes of
what is computed; `minicnn.bench.shapes` and `benchmarks.kernel_cases` say which.
"""

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minicnn import kernels
from minicnn.kernels import (
    activation,
    avgpool2d,
    batchnorm,
    channel_sum,
    concatenate,
    conv2d,
    conv2d_transpose,
    dense,
    depthwise_conv2d,
    elementwise,
    embedding,
    global_avgpool2d,
    global_maxpool2d,
    layernorm,
    maxpool2d,
    optimizer_step,
    prelu,
    softmax,
    softmax_crossentropy,
    upsample2d,
)

Call = partial[Any]
Draw = Callable[..., Any]  # float32 arrays of the sizes that it is given, where the kernels are to run


class Layer(NamedTuple):
    """The sizes of a layer: an input without its batch axis and, where there are any, kernels and their window."""

    x: tuple[int, ...]
    taps: tuple[int, int] = (1, 1)
    filters: int = 1  # of a depthwise convolution: for each channel
    strides: tuple[int, int] = (1, 1)
    padding: kernels.Padding = "same"
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    function: str = "relu"  # of an activation


class Case(NamedTuple):
    """One direction of an operation on arrays of one shape; `call(rung=...)` runs it."""

    op: str
    direction: str
    name: str
    shape: str
    flops: float  # floating point operations of the definition; 0 where the numbers are only passed through
    moved: float  # bytes read and written, each once
    call: Call

    @property
    def unit(self) -> str:
        """What the speed is told in."""
        return "GFLOP/s" if self.flops else "GB/s"

    @property
    def work(self) -> float:
        """What is done, in the billions of its unit."""
        return (self.flops or self.moved) / 1e9

    @property
    def packs(self) -> bool:
        """Whether prediction packs the weights once, for the rung that will run."""
        return (self.op, self.direction) == ("conv2d", "forward")

    def ready(self, rung: str | None) -> Callable[[], Any]:
        """The call on a rung (None: the default) as prediction makes it, with weights packed for that rung."""
        if not self.packs:
            return partial(self.call, rung=rung)
        x, w = self.call.args
        window = {name: self.call.keywords[name] for name in ("strides", "padding", "dilation", "groups")}
        if rung is None:
            prepared = conv2d.prepare(w, x.shape, **window)
        else:
            with kernels.use("conv2d", rung):
                prepared = conv2d.prepare(w, x.shape, **window)
        return partial(conv2d.forward, x, prepared, **self.call.keywords, rung=rung)


def normal(*shape: int) -> np.ndarray:
    """Random float32 numbers."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def operations() -> list[str]:
    """The operations that have cases."""
    return sorted(BUILDERS)


def cases(op: str, name: str, layer: Layer, batch: int, draw: Draw = normal) -> Iterator[Case]:
    """The cases of all directions of an operation, for so many images or rows, on arrays that `draw(*shape)` makes."""
    yield from BUILDERS[op](op, name, layer, batch, draw)


def _text(*shape: int) -> str:
    return "x".join(map(str, shape))


def window_text(layer: Layer, batch: int, filters: int) -> str:
    """The sizes of a convolution.

    >>> window_text(Layer((56, 56, 64), (3, 3), 128, (2, 2)), 1, 128)
    '1x56x56x64, 3x3 /2, 128 filters'
    """
    stride = _text(*dict.fromkeys(layer.strides))
    return f"{_text(batch, *layer.x)}, {_text(*layer.taps)} /{stride}, {filters} filters"


def _convolution(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    """Three directions, each with as many multiply-adds as the others."""
    function = {"conv2d": conv2d, "depthwise_conv2d": depthwise_conv2d, "conv2d_transpose": conv2d_transpose}[op]
    options: dict[str, Any] = {"strides": layer.strides, "padding": layer.padding}
    channels = layer.x[2]
    products = prod(layer.taps) * channels  # in each output number
    if op == "conv2d":
        options |= {"dilation": layer.dilation, "groups": layer.groups}
        products //= layer.groups
        w = draw(*layer.taps, channels // layer.groups, layer.filters)
    elif op == "depthwise_conv2d":
        options |= {"dilation": layer.dilation}
        products = prod(layer.taps)
        w = draw(*layer.taps, channels, layer.filters)
    else:
        products //= prod(layer.strides)  # an output is reached by the taps of one residue
        w = draw(*layer.taps, layer.filters, channels)
    x = draw(batch, *layer.x)
    y = function.forward(x, w, **options)
    shape = window_text(layer, batch, y.shape[3])
    flops, moved = 2.0 * y.size * products, 4.0 * (x.size + w.size + y.size)
    dy = draw(*y.shape)
    for direction, call in (
        ("forward", partial(function.forward, x, w, **options, out=y)),
        ("backward_input", partial(function.backward_input, dy, w, x.shape, **options, out=np.empty_like(x))),
        ("backward_weights", partial(function.backward_weights, x, dy, w.shape, **options, out=np.empty_like(w))),
    ):
        yield Case(op, direction, name, shape, flops, moved, call)


def _dense(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    inputs, outputs = layer.x[0], layer.filters
    x, w, dy = draw(batch, inputs), draw(inputs, outputs), draw(batch, outputs)
    flops, moved = 2.0 * batch * w.size, 4.0 * (x.size + w.size + dy.size)
    for direction, call in (
        ("forward", partial(dense.forward, x, w)),
        ("backward_input", partial(dense.backward_input, dy, w)),
        ("backward_weights", partial(dense.backward_weights, x, dy)),
    ):
        yield Case(op, direction, name, f"({batch},{inputs}) @ ({inputs},{outputs})", flops, moved, call)


def _streamed(op: str, name: str, shape: tuple[int, ...], *directions: tuple[str, float, Call]) -> Iterator[Case]:
    """Cases that memory bounds: (direction, numbers that are read or written, the call)."""
    for direction, numbers, call in directions:
        yield Case(op, direction, name, _text(*shape), 0.0, 4.0 * numbers, call)


def _pool(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    function: Any = {"maxpool2d": maxpool2d, "avgpool2d": avgpool2d}[op]
    x, options = draw(batch, *layer.x), {"pool_size": layer.taps, "strides": layer.strides, "padding": layer.padding}
    y = function.forward(x, **options)
    operands, passes = ((x, y, y), 2) if op == "maxpool2d" else ((y, x.shape), 1)
    moved = x.size + y.size
    forward, backward = partial(function.forward, x, **options), partial(function.backward, *operands, **options)
    yield from _streamed(op, name, x.shape, ("forward", moved, forward), ("backward", passes * moved, backward))


def _global_pool(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    function: Any = {"global_maxpool2d": global_maxpool2d, "global_avgpool2d": global_avgpool2d}[op]
    x = draw(batch, *layer.x)
    y = function.forward(x)
    operands, passes = ((x, y, y), 2) if op == "global_maxpool2d" else ((y, x.shape), 1)
    forward, backward = partial(function.forward, x), partial(function.backward, *operands)
    yield from _streamed(op, name, x.shape, ("forward", x.size, forward), ("backward", passes * x.size, backward))


def _batchnorm(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x, c = draw(batch, *layer.x), draw(layer.x[-1])
    variance = np.abs(c)
    yield from _streamed(
        op,
        name,
        x.shape,
        ("forward_train", 2 * x.size, partial(batchnorm.forward_train, x, c, c)),
        ("backward_train", 3 * x.size, partial(batchnorm.backward_train, x, x, c, c, variance)),
        ("forward_infer", 2 * x.size, partial(batchnorm.forward_infer, x, c, c)),
        ("backward_infer", 3 * x.size, partial(batchnorm.backward_infer, x, x, c, c, variance, 1e-3)),
    )


def _layernorm(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x, c = draw(batch, *layer.x), draw(layer.x[-1])
    row = draw(*x.shape[:-1], 1)
    forward, backward = partial(layernorm.forward, x, c, c), partial(layernorm.backward, x, x, c, row, row)
    yield from _streamed(op, name, x.shape, ("forward", 2 * x.size, forward), ("backward", 3 * x.size, backward))


def _activation(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x = draw(batch, *layer.x)
    forward = partial(activation.forward, x, layer.function)
    backward = partial(activation.backward, x, x, x, layer.function)
    yield from _streamed(op, name, x.shape, ("forward", 2 * x.size, forward), ("backward", 4 * x.size, backward))


def _upsample(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x = draw(batch, *layer.x)
    wide = upsample2d.forward(x)
    forward, backward = (
        partial(f, a, 2, "bilinear") for f, a in zip((upsample2d.forward, upsample2d.backward), (x, wide))
    )
    moved = x.size + wide.size
    yield from _streamed(op, name, x.shape, ("forward", moved, forward), ("backward", moved, backward))


def _prelu(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x, alpha = draw(batch, *layer.x), draw(*(1,) * (len(layer.x) - 1), layer.x[-1])
    forward, backward = partial(prelu.forward, x, alpha), partial(prelu.backward, x, alpha, x)
    yield from _streamed(op, name, x.shape, ("forward", 2 * x.size, forward), ("backward", 3 * x.size, backward))


def _embedding(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    """So many sequences of x[0] words, of a table of `filters` rows of x[1] numbers."""
    words, columns = batch * layer.x[0], layer.x[1]
    rows = (np.abs(draw(words)) * 1e6).astype(np.int64) % layer.filters
    w, dy = draw(layer.filters, columns), draw(words, columns)
    forward, backward = partial(embedding.forward, rows, w), partial(embedding.backward, rows, dy, len(w))
    moved = 2 * dy.size, dy.size + w.size
    yield from _streamed(op, name, dy.shape, ("forward", moved[0], forward), ("backward", moved[1], backward))


def _elementwise(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x = draw(batch, *layer.x)
    yield from _streamed(op, name, x.shape, ("add", 3 * x.size, partial(elementwise.add, x, x)))


def _concatenate(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x = draw(batch, *layer.x)
    yield from _streamed(op, name, x.shape, ("forward", 4 * x.size, partial(_doubled, x)))


def _doubled(x: np.ndarray, **options: Any) -> np.ndarray:
    return concatenate.forward([x, x], **options)


def _channel_sum(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x = draw(batch, *layer.x)
    yield from _streamed(op, name, x.shape, ("forward", x.size, partial(channel_sum.forward, x)))


def _softmax(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x = draw(batch, *layer.x)
    y = softmax.forward(x)
    forward, backward = partial(softmax.forward, x), partial(softmax.backward, y, x)
    yield from _streamed(op, name, x.shape, ("forward", 2 * x.size, forward), ("backward", 3 * x.size, backward))


def _crossentropy(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    x = draw(batch, *layer.x)
    p, target = softmax.forward(x), softmax.forward(-x)
    forward = partial(softmax_crossentropy.forward, x, target)
    backward = partial(softmax_crossentropy.backward, p, target, draw(len(x)))
    yield from _streamed(op, name, x.shape, ("forward", 3 * x.size, forward), ("backward", 3 * x.size, backward))


def _steps(op: str, name: str, layer: Layer, batch: int, draw: Draw) -> Iterator[Case]:
    count = prod(layer.x)
    p, g, a, s = (np.abs(draw(count)) for _ in range(4))
    sgd = partial(optimizer_step.sgd_step, p, g, a, learning_rate=1e-9, momentum=0.9)
    adam = partial(optimizer_step.adam_step, p, g, a, s, learning_rate=1e-9, step=1)
    yield from _streamed(op, name, (count,), ("sgd", 5 * count, sgd), ("adam", 7 * count, adam))


BUILDERS: dict[str, Callable[[str, str, Layer, int, Draw], Iterator[Case]]] = {
    **dict.fromkeys(("conv2d", "depthwise_conv2d", "conv2d_transpose"), _convolution),
    "dense": _dense,
    **dict.fromkeys(("maxpool2d", "avgpool2d"), _pool),
    **dict.fromkeys(("global_maxpool2d", "global_avgpool2d"), _global_pool),
    "batchnorm": _batchnorm,
    "layernorm": _layernorm,
    "activation": _activation,
    "upsample2d": _upsample,
    "prelu": _prelu,
    "elementwise": _elementwise,
    "embedding": _embedding,
    "concatenate": _concatenate,
    "channel_sum": _channel_sum,
    "softmax": _softmax,
    "softmax_crossentropy": _crossentropy,
    "optimizer_step": _steps,
}
