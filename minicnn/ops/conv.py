"""Convolutions: conv2d, depthwise_conv2d, conv2d_transpose."""

from typing import Any, ClassVar

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.kernels import Padding, Pair, pair

from .activation import before_activation, finished
from .select import spread


class Convolution(Function):
    """y = f(conv(x, w) + b): what the convolutions share.

    f is one of the activations whose slope is known from y: then neither the sum before it is kept nor is there a pass
    over memory for it.
    """

    kernel: ClassVar[Any]

    @classmethod
    def forward(cls, ctx: Context, x: Any, w: Any, b: Any, **options: Any) -> Any:
        y = cls.kernel.forward(x, w, b, **options)
        ctx.save(x if ctx.needs[1] else None, x.shape, w, y if "activation" in options else None)
        return y

    @classmethod
    def backward(cls, ctx: Context, dy: Any, /) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, x_shape, w, y = ctx.saved
        window = dict(ctx.options)
        dy = before_activation(y, dy, window.pop("activation", None))
        return (
            cls.kernel.backward_input(dy, w, x_shape, **window) if ctx.needs[0] else None,
            cls.kernel.backward_weights(x, dy, w.shape, **window) if ctx.needs[1] else None,
            kernels.channel_sum.forward(dy) if ctx.needs[2] else None,
        )


class Conv2D(Convolution):
    """y[n,i,j,f] = b[f] + sum over a,b,c of x[n, i s + a d, j s + b d, c] w[a,b,c,f]"""

    kernel = kernels.conv2d


class DepthwiseConv2D(Convolution):
    """y[n,i,j,c M + m] = b[c M + m] + sum over a,b of x[n, i s + a d, j s + b d, c] w[a,b,c,m]"""

    kernel = kernels.depthwise_conv2d


class Conv2DTranspose(Convolution):
    """The input gradient of conv2d, used forwards: every input pixel adds x[n,i,j,c] w[:,:,f,c] to a window of y."""

    kernel = kernels.conv2d_transpose


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Tensor:
    """f(convolution of x (N,H,W,C) with w (KH,KW,C/groups,F), plus bias b (F,)): y (N,OH,OW,F).

    `padding` is "valid", Keras' "same", a number, two, or ((top, bottom), (left, right)); `activation` the name of f.

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
    if 1 < groups == x.shape[-1] and w.ndim == 4 and w.shape[2] == 1 and w.shape[3] % groups == 0:
        own = w.reshape(*w.shape[:2], groups, w.shape[3] // groups)  # every channel has filters of its own
        return depthwise_conv2d(x, own, b, strides, padding, dilation, activation)
    window = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    return finished(Conv2D, (x, w, b), window, activation)


def depthwise_conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    activation: str | None = None,
) -> Tensor:
    """f(each channel of x (N,H,W,C) with its own M kernels, w (KH,KW,C,M), plus b): y (N,OH,OW,C M); `activation` is f.

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
    window = {"strides": strides, "padding": padding, "dilation": dilation}
    return finished(DepthwiseConv2D, (x, w, b), window, activation)


def conv2d_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: int | Pair = 1,
    padding: str = "valid",
    output_padding: int | Pair | None = None,
    activation: str | None = None,
    dilation: int | Pair = 1,
) -> Tensor:
    """f(transposed convolution of x (N,H,W,C) with w (KH,KW,F,C), plus b): y (N,OH,OW,F), of Keras' output sizes.

    With dilation the kernel is one with zeros between its taps.

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
    gaps = pair(dilation, "dilation")
    w = spread(w, gaps, first=0) if max(gaps) > 1 else w
    window = {"strides": strides, "padding": padding, "output_padding": output_padding}
    return finished(Conv2DTranspose, (x, w, b), window, activation)
