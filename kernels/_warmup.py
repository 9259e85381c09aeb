"""Warm-up: call every compiled rung on tiny arrays, so that nothing is left to compile when it matters."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError

from . import (
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
from ._registry import specs

Array = np.ndarray
Make = Callable[..., Array]
Call = Callable[..., object]
Progress = Callable[[int, int], None]


def warmup(progress: Progress | None = None, must_keep: bool = False) -> int:
    """Compile every rung; returns the number of rungs.

    Parameters
    ----------
    progress : called with (done, total) after each rung
    must_keep : refuse to compile where nothing can be kept for later processes

    Raises
    ------
    FileAccessError
        Nothing can be kept, with `must_keep`.

    Examples
    --------
    >>> from minicnn import kernels
    >>> kernels.warmup()                                                        # doctest: +SKIP
    66
    """
    rungs = [spec for spec in specs("cpu") if spec.needs_numba]
    if must_keep and rungs:
        from ._compile_cache import usable_folder

        usable_folder()
    calls = examples(_zeros)
    for done, spec in enumerate(rungs, 1):
        run_on(spec.rung, calls[spec.op, spec.direction])
        if progress is not None:
            progress(done, len(rungs))
    return len(rungs)


def run_on(rung: str, calls: list[Call]) -> int:
    """Make the calls that a rung can do; how many these are."""
    done = 0
    for call in calls:
        with suppress(UnsupportedError):
            call(rung=rung)
            done += 1
    return done


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def examples(array: Make) -> dict[tuple[str, str], list[Call]]:
    """{(op, direction): calls that take `rung`}, on operands that `array(*shape)` makes."""
    found: dict[tuple[str, str], list[Call]] = {}
    for part in (_convolutions, _pools, _dense, _normalizations, _pointwise, _steps):
        for op, direction, call in part(array):
            found.setdefault((op, direction), []).append(call)
    return found


def _convolutions(array: Make) -> Iterator[tuple[str, str, Call]]:
    """3x3 with each stride, and 1x1; with and without a bias."""
    for taps, strides in ((3, 1), (3, 2), (1, 1)):
        image, options = array(1, 6, 6, 2), {"strides": strides, "padding": "same"}
        out = -(-6 // strides)
        for op, kernel, channels in (
            (conv2d, array(taps, taps, 2, 3), 3),
            (depthwise_conv2d, array(taps, taps, 2, 1), 2),
            (depthwise_conv2d, array(taps, taps, 2, 2), 4),
        ):
            name, dy = op.OPERATION.name, array(1, out, out, channels)
            for bias in (None, array(channels)):
                yield name, "forward", partial(op.forward, image, kernel, bias, **options)
            yield name, "backward_input", partial(op.backward_input, dy, kernel, image.shape, **options)
            yield name, "backward_weights", partial(op.backward_weights, image, dy, kernel.shape, **options)
        wide = array(1, 14, 14, 16)  # pixels and channels enough for rungs that take several at a time
        for side in (taps, taps + 2):
            call = partial(depthwise_conv2d.forward, wide, array(side, side, 16, 1), **options)
            yield "depthwise_conv2d", "forward", call
        kernel, dy = array(taps, taps, 3, 2), array(1, 6 * strides, 6 * strides, 3)
        name, op = "conv2d_transpose", conv2d_transpose
        yield name, "forward", partial(op.forward, image, kernel, array(3), **options)
        yield name, "backward_input", partial(op.backward_input, dy, kernel, image.shape, **options)
        yield name, "backward_weights", partial(op.backward_weights, image, dy, kernel.shape, **options)


def _pools(array: Make) -> Iterator[tuple[str, str, Call]]:
    image, halved, pooled = array(1, 4, 4, 2), array(1, 2, 2, 2), array(1, 2)
    yield "maxpool2d", "forward", partial(maxpool2d.forward, image, 2)
    yield "maxpool2d", "backward", partial(maxpool2d.backward, image, halved, halved, 2)
    yield "avgpool2d", "forward", partial(avgpool2d.forward, image, 2)
    yield "avgpool2d", "backward", partial(avgpool2d.backward, halved, image.shape, 2)
    yield "global_avgpool2d", "forward", partial(global_avgpool2d.forward, image)
    yield "global_avgpool2d", "backward", partial(global_avgpool2d.backward, pooled, image.shape)
    yield "global_maxpool2d", "forward", partial(global_maxpool2d.forward, image)
    yield "global_maxpool2d", "backward", partial(global_maxpool2d.backward, image, pooled, pooled)
    for interpolation in upsample2d.INTERPOLATIONS:
        yield "upsample2d", "forward", partial(upsample2d.forward, halved, 2, interpolation)
        yield "upsample2d", "backward", partial(upsample2d.backward, image, 2, interpolation)


def _dense(array: Make) -> Iterator[tuple[str, str, Call]]:
    rows, kernel, dy = array(3, 4), array(4, 5), array(3, 5)
    for storage in dense.STORAGES:
        yield "dense", "forward", partial(dense.forward, rows, w=dense.store(kernel, storage), bias=array(5))
    yield "dense", "backward_input", partial(dense.backward_input, dy, kernel)
    yield "dense", "backward_weights", partial(dense.backward_weights, rows, dy)
    yield "channel_sum", "forward", partial(channel_sum.forward, rows)


def _normalizations(array: Make) -> Iterator[tuple[str, str, Call]]:
    image, data, sums = array(2, 3, 3, 4), array(4), array(4)
    for gamma, beta in ((None, None), (array(4), array(4))):
        yield "batchnorm", "forward_train", partial(batchnorm.forward_train, image, gamma, beta)
        for name in (None, "relu"):
            finishing = {"beta": beta, "activation": name}
            train = partial(batchnorm.backward_train, image, image, gamma, data, data, **finishing)
            infer = partial(batchnorm.backward_infer, image, image, gamma, sums, sums, 1e-3, **finishing)
            yield from (("batchnorm", "backward_train", train), ("batchnorm", "backward_infer", infer))
        yield "layernorm", "forward", partial(layernorm.forward, image, gamma, beta)
        rows = array(2, 3, 3, 1)
        yield "layernorm", "backward", partial(layernorm.backward, image, image, gamma, rows, rows)
    for name in (None, "swish"):
        yield "batchnorm", "forward_infer", partial(batchnorm.forward_infer, image, sums, sums, activation=name)


def _pointwise(array: Make) -> Iterator[tuple[str, str, Call]]:
    image, rows, spare = array(2, 3, 3, 4), array(2, 3), _zeros(4)
    for name in elementwise.FORWARD:
        yield "elementwise", name, partial(getattr(elementwise, name), image, array(2, 1, 1, 4))
    for name in activation.ACTIVATIONS:
        yield "activation", "forward", partial(activation.forward, image, name)
        yield "activation", "forward", partial(activation.forward, spare, name, out=spare)
        yield "activation", "backward", partial(activation.backward, image, image, image, name)
    yield "activation", "forward", partial(activation.forward, image, "gelu", approximate=True)
    yield "activation", "backward", partial(activation.backward, image, image, image, "gelu", approximate=True)
    yield "concatenate", "forward", partial(_doubled, image)
    yield "prelu", "forward", partial(prelu.forward, image, array(1, 1, 4))
    yield "prelu", "backward", partial(prelu.backward, image, array(1, 1, 4), image)
    for log in (False, True):
        yield "softmax", "forward", partial(softmax.forward, rows, log)
        yield "softmax", "backward", partial(softmax.backward, rows, rows, log)
    yield "softmax_crossentropy", "forward", partial(softmax_crossentropy.forward, rows, rows)
    yield "softmax_crossentropy", "backward", partial(softmax_crossentropy.backward, rows, rows, array(2))


def _doubled(x: Array, **options: Any) -> Array:
    return concatenate.forward([x, x], **options)


def _steps(array: Make) -> Iterator[tuple[str, str, Call]]:
    """Steps write to all arrays but the gradient."""
    gradient, rate = array(4), {"learning_rate": 0.1}
    p, a, b, c = (_zeros(4) for _ in range(4))
    yield "optimizer_step", "sgd", partial(optimizer_step.sgd_step, p, gradient, **rate)
    for nesterov in (False, True):
        yield "optimizer_step", "sgd", partial(optimizer_step.sgd_step, p, gradient, a, nesterov=nesterov, **rate)
    for mean in (None, b):
        for velocity in (None, c):
            yield (
                "optimizer_step",
                "rmsprop",
                partial(optimizer_step.rmsprop_step, p, gradient, a, mean, velocity, **rate),
            )
    for largest in (None, c):
        yield "optimizer_step", "adam", partial(optimizer_step.adam_step, p, gradient, a, b, largest, step=1, **rate)
    yield "optimizer_step", "adagrad", partial(optimizer_step.adagrad_step, p, gradient, a, **rate)
