"""Convolutions, pooling and padding along three axes, x (N,D,H,W,C): what the two-dimensional kernels make of them.

A convolution is a sum of two-dimensional ones.  The others treat one or two axes at a time, with the rest of them among
the channels: (N,D,H,W C) is an image, and so is (N,D H,W,C), in the same memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import ShapeError
from minicnn.kernels import Pair, output_size, same_padding
from minicnn.kernels.conv2d_transpose import output_size as transposed_size

from .activation import activation as activate
from .activation import before_activation, finished
from .conv import conv2d_transpose
from .merge import add
from .pool import avgpool2d, global_avgpool2d, global_maxpool2d, maxpool2d
from .select import spread, surround
from .sequence import fold_time, pick, unfold_time
from .shape import cropping2d, permute, reshape, upsampling2d, zero_padding2d

Triple = tuple[int, int, int]
Sides = tuple[Pair, Pair, Pair]
AROUND_FRAMES = ((0, 0),) * 3  # no rows, columns or channels


class Depth(NamedTuple):
    """The window along the depth: frames at `tap` are those that the kernel's slice of this number meets."""

    taps: int
    stride: int
    dilation: int
    padding: Pair
    outputs: int

    @classmethod
    def of(cls, size: int, taps: int, stride: int, padding: str, dilation: int) -> Depth:
        sides = same_padding(size, taps, stride, dilation) if padding == "same" else (0, 0)
        outputs = output_size(size, taps, stride, dilation, sides)
        if outputs < 1:
            raise ShapeError(f"conv3d: {taps} taps along the depth with dilation {dilation} do not fit {size} frames")
        return cls(taps, stride, dilation, sides, outputs)

    def frames(self, tap: int) -> slice:
        """Where these frames lie in the padded depth."""
        start = tap * self.dilation
        return slice(start, start + (self.outputs - 1) * self.stride + 1, self.stride)


class Conv3D(Function):
    """y[n,t,i,j] = b + sum over a of conv2d(x[n, t s + a d], w[a])[i,j]: a sum of two-dimensional convolutions"""

    @staticmethod
    def forward(
        ctx: Context,
        x: Any,
        w: Any,
        b: Any,
        *,
        strides: Triple,
        padding: str,
        dilation: Triple,
        groups: int,
        activation: str | None = None,
    ) -> Any:
        depth = Depth.of(x.shape[1], w.shape[0], strides[0], padding, dilation[0])
        plane = {"strides": strides[1:], "padding": padding, "dilation": dilation[1:], "groups": groups}
        padded = np.pad(x, ((0, 0), depth.padding, (0, 0), (0, 0), (0, 0))) if any(depth.padding) else x
        y = None
        for a in range(depth.taps):
            last = {"bias": b, "activation": activation} if a == depth.taps - 1 else {}
            y = kernels.conv2d.forward(_images(padded, depth, a), w[a], residual=y, **plane, **last)
        assert y is not None
        y = y.reshape(x.shape[0], depth.outputs, *y.shape[1:])
        ctx.save(padded, x.shape, w, y, depth, plane)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        padded, x_shape, w, y, depth, plane = ctx.saved
        dy = before_activation(y, dy, ctx.options.get("activation"))
        images = kernels.array_module(dy).ascontiguousarray(dy).reshape(-1, *dy.shape[2:])
        dx = np.zeros_like(padded) if ctx.needs[0] else None
        dw = np.empty_like(w) if ctx.needs[1] else None
        for a in range(depth.taps):
            frames = _images(padded, depth, a)
            if dx is not None:
                part = kernels.conv2d.backward_input(images, w[a], frames.shape, **plane)
                dx[:, depth.frames(a)] += part.reshape(x_shape[0], depth.outputs, *x_shape[2:])
            if dw is not None:
                dw[a] = kernels.conv2d.backward_weights(frames, images, w.shape[1:], **plane)
        if dx is not None:
            dx = dx[:, depth.padding[0] : depth.padding[0] + x_shape[1]]
        return dx, dw, kernels.channel_sum.forward(dy) if ctx.needs[2] else None


def _images(padded: Any, depth: Depth, tap: int) -> Any:
    """The frames that a slice of the kernel meets, as a batch of images (N OD,H,W,C)."""
    frames = padded[:, depth.frames(tap)]
    return kernels.array_module(frames).ascontiguousarray(frames).reshape(-1, *frames.shape[2:])


def conv3d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Triple = 1,
    padding: str = "valid",
    dilation: int | Triple = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Tensor:
    """f(convolution of x (N,D,H,W,C) with w (KD,KH,KW,C/groups,F), plus bias b (F,)): y (N,OD,OH,OW,F).

    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 4, 5, 5, 3))), minicnn.Tensor(np.ones((2, 3, 3, 3, 2)))
    >>> minicnn.ops.conv3d(x, w, strides=(1, 2, 2), padding="same").shape
    (1, 4, 3, 3, 2)
    """
    _check("conv3d", x)
    if w.ndim != 5:
        raise ShapeError(f"conv3d: w must be (KD,KH,KW,C,F); it is {w.shape}")
    window = {"strides": triple(strides), "padding": padding, "dilation": triple(dilation), "groups": groups}
    return finished(Conv3D, (x, w, b), window, activation)


def conv3d_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Triple = 1,
    padding: str = "valid",
    output_padding: int | Triple | None = None,
    activation: str | None = None,
    dilation: int | Triple = 1,
) -> Tensor:
    """f(transposed convolution of x (N,D,H,W,C) with w (KD,KH,KW,F,C), plus b): y (N,OD,OH,OW,F), of Keras' sizes.

    Each slice of the kernel makes frames of all frames, which it puts `strides[0]` apart; these add up.

    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 2, 4, 4, 3))), minicnn.Tensor(np.ones((3, 3, 3, 2, 3)))
    >>> minicnn.ops.conv3d_transpose(x, w, strides=2, padding="same").shape
    (1, 4, 8, 8, 2)
    """
    _check("conv3d_transpose", x)
    if w.ndim != 5:
        raise ShapeError(f"conv3d_transpose: w must be (KD,KH,KW,F,C); it is {w.shape}")
    steps, gaps = triple(strides), triple(dilation)
    extra = None if output_padding is None else triple(output_padding)
    depth, taps = x.shape[1], (w.shape[0] - 1) * gaps[0] + 1
    plane = {"strides": steps[1:], "padding": padding, "dilation": gaps[1:]}
    plane["output_padding"] = None if extra is None else extra[1:]
    parts = []
    for a in range(w.shape[0]):
        frames = unfold_time(conv2d_transpose(fold_time(x), pick(w, a), **plane), depth)
        before = a * gaps[0]
        parts.append(surround(spread(frames, steps[:1]), [(before, taps - 1 - before), *AROUND_FRAMES]))
    y, whole = reduce(add, parts), (depth - 1) * steps[0] + taps
    outputs = transposed_size(depth, taps, steps[0], padding, None if extra is None else extra[0])
    first = max(whole - outputs, 0) // 2
    y = pick(y, (slice(None), slice(first, first + outputs)))
    y = surround(y, [(0, outputs - whole), *AROUND_FRAMES]) if outputs > whole else y
    y = y if b is None else y + b
    return y if activation is None else activate(y, activation)


def maxpool3d(
    x: Tensor, pool_size: int | Triple = 2, strides: int | Triple | None = None, padding: str = "valid"
) -> Tensor:
    """The largest value of each window of x (N,D,H,W,C): y (N,OD,OH,OW,C).  Strides default to the window's size.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.maxpool3d(minicnn.Tensor(np.arange(16.0).reshape(1, 2, 2, 4, 1))).numpy().ravel()
    array([13., 15.])
    """
    return _pool(maxpool2d, "maxpool3d", x, pool_size, strides, padding)


def avgpool3d(
    x: Tensor, pool_size: int | Triple = 2, strides: int | Triple | None = None, padding: str = "valid"
) -> Tensor:
    """The mean of each window of x (N,D,H,W,C), padding not counted: y (N,OD,OH,OW,C).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.avgpool3d(minicnn.Tensor(np.arange(16.0).reshape(1, 2, 2, 4, 1))).numpy().ravel()
    array([6.5, 8.5])
    """
    return _pool(avgpool2d, "avgpool3d", x, pool_size, strides, padding)


def _pool(
    pool: Callable[..., Tensor], op: str, x: Tensor, pool_size: Any, strides: int | Triple | None, padding: str
) -> Tensor:
    """Over height and width first, the depth among the channels; then over the depth, which meets whole windows."""
    _check(op, x)
    window = triple(pool_size)
    steps = window if strides is None else triple(strides)
    _, depth, height, width, channels = x.shape
    y = reshape(permute(x, (2, 3, 1, 4)), (height, width, depth * channels))
    y = pool(y, window[1:], steps[1:], padding)
    _, height, width, _ = y.shape
    y = permute(reshape(y, (height, width, depth, channels)), (3, 1, 2, 4))
    y = pool(reshape(y, (depth, height * width, channels)), (window[0], 1), (steps[0], 1), padding)
    return reshape(y, (y.shape[1], height, width, channels))


def global_avgpool3d(x: Tensor, keepdims: bool = False) -> Tensor:
    """The mean of each channel of x (N,D,H,W,C): y (N,C), or (N,1,1,1,C) with keepdims.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.global_avgpool3d(minicnn.Tensor(np.ones((2, 3, 3, 3, 4)))).shape
    (2, 4)
    """
    return _global(global_avgpool2d, "global_avgpool3d", x, keepdims)


def global_maxpool3d(x: Tensor, keepdims: bool = False) -> Tensor:
    """The largest value of each channel of x (N,D,H,W,C): y (N,C), or (N,1,1,1,C) with keepdims.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.global_maxpool3d(minicnn.Tensor(np.ones((2, 3, 3, 3, 4))), keepdims=True).shape
    (2, 1, 1, 1, 4)
    """
    return _global(global_maxpool2d, "global_maxpool3d", x, keepdims)


def _global(pool: Callable[..., Tensor], op: str, x: Tensor, keepdims: bool) -> Tensor:
    _check(op, x)
    _, depth, height, width, channels = x.shape
    y = pool(reshape(x, (depth * height, width, channels)))
    return reshape(y, (1, 1, 1, channels)) if keepdims else y


def zero_padding3d(x: Tensor, padding: int | Sides = 1) -> Tensor:
    """Zeros around x (N,D,H,W,C); `padding` is a number, or (before, after) for each axis.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.zero_padding3d(minicnn.Tensor(np.ones((1, 2, 2, 2, 1))), ((1, 0), (0, 2), (1, 1))).shape
    (1, 3, 4, 4, 1)
    """
    depth, height, width = _sides(padding)
    return _by_axes("zero_padding3d", x, zero_padding2d, (depth, height), ((0, 0), width))


def cropping3d(x: Tensor, cropping: int | Sides = 1) -> Tensor:
    """x (N,D,H,W,C) without what lies at its sides; `cropping` is a number, or (before, after) for each axis.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.cropping3d(minicnn.Tensor(np.ones((1, 4, 4, 4, 1))), ((1, 0), (0, 2), (1, 1))).shape
    (1, 3, 2, 2, 1)
    """
    depth, height, width = _sides(cropping)
    return _by_axes("cropping3d", x, cropping2d, (depth, height), ((0, 0), width))


def upsampling3d(x: Tensor, size: int | Triple = 2) -> Tensor:
    """x (N,D,H,W,C) enlarged by whole factors, by repetition.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.upsampling3d(minicnn.Tensor(np.ones((1, 2, 2, 2, 1))), (1, 2, 3)).shape
    (1, 2, 4, 6, 1)
    """
    depth, height, width = triple(size)
    return _by_axes("upsampling3d", x, upsampling2d, (depth, height), (1, width))


def _by_axes(op: str, x: Tensor, change: Callable[..., Tensor], outer: Any, inner: Any) -> Tensor:
    """A change of depth and height, with the width among the channels, and then one of the width alone."""
    _check(op, x)
    _, depth, height, width, channels = x.shape
    y = change(reshape(x, (depth, height, width * channels)), outer)
    _, depth, height, _ = y.shape
    y = change(reshape(y, (depth * height, width, channels)), inner)
    return reshape(y, (depth, height, y.shape[2], channels))


def triple(value: Any) -> Triple:
    """(depth, height, width) of an argument that may be one number for all."""
    depth, height, width = value if isinstance(value, (tuple, list)) else (value,) * 3
    return depth, height, width


def _sides(value: Any) -> Sides:
    """(before, after) for each axis."""
    depth, height, width = ((side, side) if isinstance(side, int) else side for side in triple(value))
    return depth, height, width


def _check(op: str, x: Tensor) -> None:
    if x.ndim != 5:
        raise ShapeError(f"{op}: x must be (N,D,H,W,C); it is {x.shape}")
