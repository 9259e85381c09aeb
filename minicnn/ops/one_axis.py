"""Convolutions, pooling and padding along one axis: the two-dimensional kernels on images one pixel high.

x (N,T,C) is read as (N,1,T,C), and a kernel (K,C,F) as (1,K,C,F): the same memory, no copy.
"""

from typing import Any

from minicnn.autograd import Tensor
from minicnn.errors import ShapeError
from minicnn.kernels import Pair

from .conv import conv2d, conv2d_transpose, depthwise_conv2d
from .pool import avgpool2d, global_avgpool2d, global_maxpool2d, maxpool2d
from .shape import cropping2d, reshape, upsampling2d, zero_padding2d

Size = int | tuple[int]


def as_row(op: str, x: Tensor) -> Tensor:
    """x (N,T,C) as an image (N,1,T,C)."""
    if x.ndim != 3:
        raise ShapeError(f"{op}: x must be (N,T,C); it is {x.shape}")
    return reshape(x, (1, *x.shape[1:]))


def as_sequence(y: Tensor) -> Tensor:
    """y (N,1,T,C) as (N,T,C)."""
    return reshape(y, y.shape[2:])


def row_kernel(op: str, w: Tensor) -> Tensor:
    """w (K,...) as (1,K,...)."""
    if w.ndim != 3:
        raise ShapeError(f"{op}: w must have 3 axes; it is {w.shape}")
    return w.reshape(1, *w.shape)


def along(size: Size) -> Pair:
    """(1, size), a size of windows or a step along the row."""
    return (1, *size) if isinstance(size, tuple) else (1, size)


def row_padding(padding: Any, taps: int, dilation: Pair) -> Any:
    """A padding along the row: "causal" puts all zeros before the first step; two numbers are (before, after)."""
    if padding == "causal":
        return ((0, 0), ((taps - 1) * dilation[1], 0))
    return padding if isinstance(padding, str) else ((0, 0), padding)


def conv1d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: Size = 1,
    padding: str | Pair = "valid",
    dilation: Size = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Tensor:
    """f(convolution of x (N,T,C) with w (K,C/groups,F), plus bias b (F,)): y (N,OT,F).

    `padding` is "valid", "same", "causal" (an output sees no later step), or (before, after).

    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.arange(4.0).reshape(1, 4, 1)), minicnn.Tensor(np.ones((2, 1, 1)))
    >>> minicnn.ops.conv1d(x, w, padding="causal").numpy().ravel()
    array([0., 1., 3., 5.])
    """
    image, kernel, gaps = as_row("conv1d", x), row_kernel("conv1d", w), along(dilation)
    sides = row_padding(padding, w.shape[0], gaps)
    return as_sequence(conv2d(image, kernel, b, along(strides), sides, gaps, groups, activation))


def depthwise_conv1d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: Size = 1,
    padding: str | Pair = "valid",
    dilation: Size = 1,
    activation: str | None = None,
) -> Tensor:
    """f(each channel of x (N,T,C) with its own M kernels, w (K,C,M), plus b): y (N,OT,C M).

    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 5, 3))), minicnn.Tensor(np.ones((3, 3, 2)))
    >>> minicnn.ops.depthwise_conv1d(x, w).shape
    (1, 3, 6)
    """
    image, kernel, gaps = as_row("depthwise_conv1d", x), row_kernel("depthwise_conv1d", w), along(dilation)
    sides = row_padding(padding, w.shape[0], gaps)
    return as_sequence(depthwise_conv2d(image, kernel, b, along(strides), sides, gaps, activation))


def conv1d_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    strides: Size = 1,
    padding: str = "valid",
    output_padding: Size | None = None,
    activation: str | None = None,
    dilation: Size = 1,
) -> Tensor:
    """f(transposed convolution of x (N,T,C) with w (K,F,C), plus b): y (N,OT,F), of Keras' output sizes.

    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 4, 3))), minicnn.Tensor(np.ones((3, 2, 3)))
    >>> minicnn.ops.conv1d_transpose(x, w, strides=2, padding="same").shape
    (1, 8, 2)
    """
    image, kernel = as_row("conv1d_transpose", x), row_kernel("conv1d_transpose", w)
    extra = None if output_padding is None else (0, along(output_padding)[1])
    return as_sequence(conv2d_transpose(image, kernel, b, along(strides), padding, extra, activation, along(dilation)))


def maxpool1d(x: Tensor, pool_size: Size = 2, strides: Size | None = None, padding: str | Pair = "valid") -> Tensor:
    """The largest value of each window of x (N,T,C): y (N,OT,C).  Strides default to the window's size.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.maxpool1d(minicnn.Tensor(np.arange(6.0).reshape(1, 6, 1))).numpy().ravel()
    array([1., 3., 5.])
    """
    window, steps = along(pool_size), along(pool_size if strides is None else strides)
    return as_sequence(maxpool2d(as_row("maxpool1d", x), window, steps, row_padding(padding, window[1], (1, 1))))


def avgpool1d(x: Tensor, pool_size: Size = 2, strides: Size | None = None, padding: str | Pair = "valid") -> Tensor:
    """The mean of each window of x (N,T,C), padding not counted: y (N,OT,C).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.avgpool1d(minicnn.Tensor(np.arange(6.0).reshape(1, 6, 1))).numpy().ravel()
    array([0.5, 2.5, 4.5])
    """
    window, steps = along(pool_size), along(pool_size if strides is None else strides)
    return as_sequence(avgpool2d(as_row("avgpool1d", x), window, steps, row_padding(padding, window[1], (1, 1))))


def global_avgpool1d(x: Tensor, keepdims: bool = False) -> Tensor:
    """The mean of each channel of x (N,T,C): y (N,C), or (N,1,C) with keepdims.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.global_avgpool1d(minicnn.Tensor(np.ones((2, 3, 4)))).shape
    (2, 4)
    """
    y = global_avgpool2d(as_row("global_avgpool1d", x))
    return reshape(y, (1, *y.shape[1:])) if keepdims else y


def global_maxpool1d(x: Tensor, keepdims: bool = False) -> Tensor:
    """The largest value of each channel of x (N,T,C): y (N,C), or (N,1,C) with keepdims.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.global_maxpool1d(minicnn.Tensor(np.ones((2, 3, 4))), keepdims=True).shape
    (2, 1, 4)
    """
    y = global_maxpool2d(as_row("global_maxpool1d", x))
    return reshape(y, (1, *y.shape[1:])) if keepdims else y


def zero_padding1d(x: Tensor, padding: int | Pair = 1) -> Tensor:
    """Zeros before and after the steps of x (N,T,C); `padding` is a number, or (before, after).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.zero_padding1d(minicnn.Tensor(np.ones((1, 2, 1))), (1, 2)).numpy().ravel()
    array([0., 1., 1., 0., 0.])
    """
    return as_sequence(zero_padding2d(as_row("zero_padding1d", x), ((0, 0), padding)))


def cropping1d(x: Tensor, cropping: int | Pair = 1) -> Tensor:
    """x (N,T,C) without its first and last steps; `cropping` is a number, or (before, after).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.cropping1d(minicnn.Tensor(np.arange(4.0).reshape(1, 4, 1)), (1, 2)).numpy().ravel()
    array([1.])
    """
    return as_sequence(cropping2d(as_row("cropping1d", x), ((0, 0), cropping)))


def upsampling1d(x: Tensor, size: int = 2) -> Tensor:
    """Each step of x (N,T,C) `size` times.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.upsampling1d(minicnn.Tensor(np.arange(2.0).reshape(1, 2, 1)), 3).numpy().ravel()
    array([0., 0., 0., 1., 1., 1.])
    """
    return as_sequence(upsampling2d(as_row("upsampling1d", x), along(size)))


def repeat_vector(x: Tensor, n: int) -> Tensor:
    """y (N,n,C): x (N,C) n times.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.repeat_vector(minicnn.Tensor(np.ones((2, 3))), 4).shape
    (2, 4, 3)
    """
    if x.ndim != 2:
        raise ShapeError(f"repeat_vector: x must be (N,C); it is {x.shape}")
    return upsampling1d(reshape(x, (1, *x.shape[1:])), n)
