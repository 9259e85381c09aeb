"""What is timed of every operation: layers of well-known networks, and one tiny case that even the reference can do."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minicnn.kernels import (
    activation,
    avgpool2d,
    batchnorm,
    channel_sum,
    conv2d,
    conv2d_transpose,
    dense,
    depthwise_conv2d,
    elementwise,
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

TINY = "tiny"  # cases of this name are small enough for the reference


class Case(NamedTuple):
    """One direction of an operation on arrays of one shape; `call(rung=...)` runs it."""

    op: str
    direction: str
    name: str
    shape: str
    work: float  # floating point operations, or bytes read and written at the least
    unit: str  # "GFLOP/s" or "GB/s"
    call: Callable[..., Any]


def normal(*shape: int) -> np.ndarray:
    """Random float32 numbers."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def cases(ops: Collection[str]) -> Iterator[Case]:
    """The cases of some operations; arrays are made when the iterator comes to them."""
    for made, part in PARTS.items():
        if set(made) & set(ops):
            yield from (case for case in part() if case.op in ops)


def _three(op: Any, name: str, x: np.ndarray, w: np.ndarray, sums: int, **options: Any) -> Iterator[Case]:
    """The three directions of a convolution with `sums` products in each output number."""
    y = op.forward(x, w, **options)
    dy, flops = normal(*y.shape), 2.0 * y.size * sums
    strides = options.get("strides", 1)
    shape = f"{'x'.join(map(str, x.shape))}, {w.shape[0]}x{w.shape[1]} /{strides}, {y.shape[3]} filters"
    label = op.OPERATION.name, name, shape
    for direction, call in (
        ("forward", partial(op.forward, x, w, **options)),
        ("backward_input", partial(op.backward_input, dy, w, x.shape, **options)),
        ("backward_weights", partial(op.backward_weights, x, dy, w.shape, **options)),
    ):
        yield Case(label[0], direction, label[1], label[2], flops, "GFLOP/s", call)


def _convolutions() -> Iterator[Case]:
    layers = (  # name, (H,W,C), taps, strides, filters
        (TINY, (8, 8, 4), 3, 1, 8),
        ("VGG16 block2_conv2", (112, 112, 128), 3, 1, 128),
        ("ResNet50 conv1", (224, 224, 3), 7, 2, 64),
        ("ResNet50 conv2 1x1", (56, 56, 64), 1, 1, 256),
        ("VGG16 block1_conv1", (224, 224, 3), 3, 1, 64),
        ("VGG16 block4_conv2", (28, 28, 512), 3, 1, 512),
        ("VGG16 block5_conv1", (14, 14, 512), 3, 1, 512),
        ("ResNet50 conv3 3x3", (28, 28, 128), 3, 1, 128),
        ("ResNet50 conv5 3x3", (7, 7, 512), 3, 1, 512),
        ("MobileNet conv_pw_1", (112, 112, 32), 1, 1, 64),
        ("MobileNet conv_pw_8", (14, 14, 512), 1, 1, 512),
    )
    for name, shape, taps, strides, filters in layers:
        x, w = normal(1, *shape), normal(taps, taps, shape[2], filters)
        yield from _three(conv2d, name, x, w, taps * taps * shape[2], strides=strides, padding="same")


def _depthwise() -> Iterator[Case]:
    layers = (
        (TINY, (8, 8, 4), 1),
        ("MobileNet conv_dw_1", (112, 112, 32), 1),
        ("MobileNet conv_dw_4", (56, 56, 128), 2),
        ("MobileNet conv_dw_8", (14, 14, 512), 1),
    )
    for name, shape, strides in layers:
        x, w = normal(1, *shape), normal(3, 3, shape[2], 1)
        yield from _three(depthwise_conv2d, name, x, w, 9, strides=strides, padding="same")


def _transposed() -> Iterator[Case]:
    for name, shape, filters in ((TINY, (4, 4, 4), 4), ("decoder 4x4 /2", (16, 16, 128), 64)):
        x, w = normal(1, *shape), normal(4, 4, filters, shape[2])
        sums = 4 * shape[2]  # each output number is reached by 16 taps / 4 residues
        yield from _three(conv2d_transpose, name, x, w, sums, strides=2, padding="same")


def _dense() -> Iterator[Case]:
    for name, rows, inputs, outputs in (
        (TINY, 4, 16, 8),
        ("VGG16 fc2, 1 row", 1, 4096, 4096),
        ("VGG16 fc2, 32 rows", 32, 4096, 4096),
        ("MobileNet head, 32 rows", 32, 1024, 10),
    ):
        x, w, dy = normal(rows, inputs), normal(inputs, outputs), normal(rows, outputs)
        flops, shape = 2.0 * rows * inputs * outputs, f"({rows},{inputs}) @ ({inputs},{outputs})"
        for direction, call in (
            ("forward", partial(dense.forward, x, w)),
            ("backward_input", partial(dense.backward_input, dy, w)),
            ("backward_weights", partial(dense.backward_weights, x, dy)),
        ):
            yield Case("dense", direction, name, shape, flops, "GFLOP/s", call)


def _streamed(op: str, direction: str, name: str, numbers: float, shape: tuple, call: Callable[..., Any]) -> Case:
    """A case bound by memory: `numbers` float32 are read or written."""
    return Case(op, direction, name, "x".join(map(str, shape)), 4.0 * numbers, "GB/s", call)


def _pools() -> Iterator[Case]:
    for name, shape, taps in (
        (TINY, (1, 8, 8, 4), 2),
        ("VGG16 block1_pool", (1, 224, 224, 64), 2),
        ("ResNet50 pool1", (1, 112, 112, 64), 3),
    ):
        x = normal(*shape)
        y = maxpool2d.forward(x, taps, 2)
        options = {"pool_size": taps, "strides": 2}
        backward = partial(maxpool2d.backward, x, y, y, **options)
        moved = x.size + y.size
        yield _streamed("maxpool2d", "forward", name, moved, shape, partial(maxpool2d.forward, x, **options))
        yield _streamed("maxpool2d", "backward", name, 2 * moved, shape, backward)
        backward = partial(avgpool2d.backward, y, x.shape, **options)
        yield _streamed("avgpool2d", "forward", name, moved, shape, partial(avgpool2d.forward, x, **options))
        yield _streamed("avgpool2d", "backward", name, moved, shape, backward)
    for name, shape in ((TINY, (1, 4, 4, 4)), ("ResNet50, 8 images", (8, 7, 7, 2048))):
        x = normal(*shape)
        y = global_maxpool2d.forward(x)
        backward = partial(global_maxpool2d.backward, x, y, y)
        yield _streamed("global_maxpool2d", "forward", name, x.size, shape, partial(global_maxpool2d.forward, x))
        yield _streamed("global_maxpool2d", "backward", name, 2 * x.size, shape, backward)
        backward = partial(global_avgpool2d.backward, y, x.shape)
        yield _streamed("global_avgpool2d", "forward", name, x.size, shape, partial(global_avgpool2d.forward, x))
        yield _streamed("global_avgpool2d", "backward", name, x.size, shape, backward)


def _normalizations() -> Iterator[Case]:
    for name, shape in ((TINY, (2, 4, 4, 4)), ("ResNet50 conv2, 8 images", (8, 56, 56, 256))):
        x, c = normal(*shape), normal(shape[3])
        variance = np.abs(c)
        train = partial(batchnorm.forward_train, x, c, c)
        yield _streamed("batchnorm", "forward_train", name, 2 * x.size, shape, train)
        backward = partial(batchnorm.backward_train, x, x, c, c, variance)
        yield _streamed("batchnorm", "backward_train", name, 3 * x.size, shape, backward)
        infer = partial(batchnorm.forward_infer, x, c, c)
        yield _streamed("batchnorm", "forward_infer", name, 2 * x.size, shape, infer)
        backward = partial(batchnorm.backward_infer, x, x, c, c, variance, 1e-3)
        yield _streamed("batchnorm", "backward_infer", name, 3 * x.size, shape, backward)
    for name, shape in ((TINY, (4, 8)), ("ConvNeXt stage 2, 8 images", (8, 28, 28, 192))):
        x, c, row = normal(*shape), normal(shape[-1]), normal(*shape[:-1], 1)
        yield _streamed("layernorm", "forward", name, 2 * x.size, shape, partial(layernorm.forward, x, c, c))
        backward = partial(layernorm.backward, x, x, c, row, row)
        yield _streamed("layernorm", "backward", name, 3 * x.size, shape, backward)


def _pointwise() -> Iterator[Case]:
    for name, shape in ((TINY, (1, 4, 4, 4)), ("56x56x256", (1, 56, 56, 256))):
        x = normal(*shape)
        for function in ("relu", "gelu", "swish"):
            called = name if name == TINY else f"{function}, {name}"
            if name != TINY or function == "relu":
                forward = partial(activation.forward, x, function)
                yield _streamed("activation", "forward", called, 2 * x.size, shape, forward)
                backward = partial(activation.backward, x, x, x, function)
                yield _streamed("activation", "backward", called, 4 * x.size, shape, backward)
        wide = upsample2d.forward(x)
        forward = partial(upsample2d.forward, x, 2, "bilinear")
        yield _streamed("upsample2d", "forward", name, x.size + wide.size, shape, forward)
        backward = partial(upsample2d.backward, wide, 2, "bilinear")
        yield _streamed("upsample2d", "backward", name, x.size + wide.size, shape, backward)
        alpha = normal(1, 1, shape[3])
        yield _streamed("prelu", "forward", name, 2 * x.size, shape, partial(prelu.forward, x, alpha))
        yield _streamed("prelu", "backward", name, 3 * x.size, shape, partial(prelu.backward, x, alpha, x))
        yield _streamed("elementwise", "add", name, 3 * x.size, shape, partial(elementwise.add, x, x))
        yield _streamed("channel_sum", "forward", name, x.size, shape, partial(channel_sum.forward, x))


def _rows() -> Iterator[Case]:
    for name, shape in ((TINY, (4, 10)), ("ImageNet, 128 rows", (128, 1000))):
        x = normal(*shape)
        y = softmax.forward(x)
        yield _streamed("softmax", "forward", name, 2 * x.size, shape, partial(softmax.forward, x))
        yield _streamed("softmax", "backward", name, 3 * x.size, shape, partial(softmax.backward, y, x))
        loss = partial(softmax_crossentropy.forward, x, y)
        yield _streamed("softmax_crossentropy", "forward", name, 3 * x.size, shape, loss)
        backward = partial(softmax_crossentropy.backward, y, y, normal(len(x)))
        yield _streamed("softmax_crossentropy", "backward", name, 3 * x.size, shape, backward)


def _steps() -> Iterator[Case]:
    for name, count in ((TINY, 64), ("one million weights", 1_000_000)):
        p, g, a, s = (np.abs(normal(count)) for _ in range(4))
        sgd = partial(optimizer_step.sgd_step, p, g, a, learning_rate=0.0, momentum=0.9)
        yield _streamed("optimizer_step", "sgd", name, 5 * count, (count,), sgd)
        adam = partial(optimizer_step.adam_step, p, g, a, s, learning_rate=0.0, step=1)
        yield _streamed("optimizer_step", "adam", name, 7 * count, (count,), adam)


PARTS: dict[tuple[str, ...], Callable[[], Iterator[Case]]] = {
    ("conv2d",): _convolutions,
    ("depthwise_conv2d",): _depthwise,
    ("conv2d_transpose",): _transposed,
    ("dense",): _dense,
    ("maxpool2d", "avgpool2d", "global_maxpool2d", "global_avgpool2d"): _pools,
    ("batchnorm", "layernorm"): _normalizations,
    ("activation", "upsample2d", "prelu", "elementwise", "channel_sum"): _pointwise,
    ("softmax", "softmax_crossentropy"): _rows,
    ("optimizer_step",): _steps,
}
