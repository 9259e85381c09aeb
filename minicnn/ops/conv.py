"""Convolutions: conv2d, depthwise_conv2d, conv2d_transpose."""

from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.kernels import Padding, Pair


class Conv2D(Function):
    """y[n,i,j,f] = b[f] + sum over a,b,c of x[n, i s + a d, j s + b d, c] w[a,b,c,f]"""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, **window: Any) -> Any:
        ctx.save(x, w)
        return kernels.conv2d.forward(x, w, b, **window)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, w = ctx.saved
        return (
            kernels.conv2d.backward_input(dy, w, x.shape, **ctx.options) if ctx.needs[0] else None,
            kernels.conv2d.backward_weights(x, dy, w.shape, **ctx.options) if ctx.needs[1] else None,
            kernels.channel_sum.forward(dy) if ctx.needs[2] else None,
        )


class DepthwiseConv2D(Function):
    """y[n,i,j,c M + m] = b[c M + m] + sum over a,b of x[n, i s + a d, j s + b d, c] w[a,b,c,m]"""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, **window: Any) -> Any:
        ctx.save(x, w)
        return kernels.depthwise_conv2d.forward(x, w, b, **window)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, w = ctx.saved
        return (
            kernels.depthwise_conv2d.backward_input(dy, w, x.shape, **ctx.options) if ctx.needs[0] else None,
            kernels.depthwise_conv2d.backward_weights(x, dy, w.shape, **ctx.options) if ctx.needs[1] else None,
            kernels.channel_sum.forward(dy) if ctx.needs[2] else None,
        )


class Conv2DTranspose(Function):
    """The input gradient of conv2d, used forwards: every input pixel adds x[n,i,j,c] w[:,:,f,c] to a window of y."""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, **window: Any) -> Any:
        ctx.save(x, w)
        return kernels.conv2d_transpose.forward(x, w, b, **window)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, w = ctx.saved
        return (
            kernels.conv2d_transpose.backward_input(dy, w, x.shape, **ctx.options) if ctx.needs[0] else None,
            kernels.conv2d_transpose.backward_weights(x, dy, w.shape, **ctx.options) if ctx.needs[1] else None,
            kernels.channel_sum.forward(dy) if ctx.needs[2] else None,
        )


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution of x (N,H,W,C) with w (KH,KW,C/groups,F) and bias b (F,): y (N,OH,OW,F).

    `padding` is "valid", Keras' "same", a number, two, or ((top, bottom), (left, right)).

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 5, 5, 3))), minicnn.Tensor(np.ones((3, 3, 3, 2)))
    >>> minicnn.ops.conv2d(x, w, strides=2, padding="same").shape
    (1, 3, 3, 2)
    """
    return Conv2D.apply(x, w, b, strides=strides, padding=padding, dilation=dilation, groups=groups)


def depthwise_conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
) -> Tensor:
    """Each channel of x (N,H,W,C) with its own M kernels, w (KH,KW,C,M): y (N,OH,OW,C M).

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 5, 5, 3))), minicnn.Tensor(np.ones((3, 3, 3, 2)))
    >>> minicnn.ops.depthwise_conv2d(x, w).shape
    (1, 3, 3, 6)
    """
    return DepthwiseConv2D.apply(x, w, b, strides=strides, padding=padding, dilation=dilation)


def conv2d_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Pair = 1,
    padding: str = "valid",
    output_padding: int | Pair | None = None,
) -> Tensor:
    """Transposed convolution of x (N,H,W,C) with w (KH,KW,F,C): y (N,OH,OW,F), of Keras' output sizes.

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 4, 4, 3))), minicnn.Tensor(np.ones((3, 3, 2, 3)))
    >>> minicnn.ops.conv2d_transpose(x, w, strides=2, padding="same").shape
    (1, 8, 8, 2)
    """
    return Conv2DTranspose.apply(x, w, b, strides=strides, padding=padding, output_padding=output_padding)
