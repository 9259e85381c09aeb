"""Pooling over windows and over whole images."""

from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.kernels import Padding, Pair


class MaxPool2D(Function):
    """y[n,i,j,c] = the largest x of the window; the first in scan order takes the gradient"""

    @staticmethod
    def forward(ctx: Context, x: Any, **window: Any) -> Any:
        y = kernels.maxpool2d.forward(x, **window)
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, y = ctx.saved
        return kernels.maxpool2d.backward(x, y, dy, **ctx.options)


class AvgPool2D(Function):
    """y[n,i,j,c] = the mean of the x of the window that lie inside the image"""

    @staticmethod
    def forward(ctx: Context, x: Any, **window: Any) -> Any:
        ctx.save(x.shape)
        return kernels.avgpool2d.forward(x, **window)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.avgpool2d.backward(dy, ctx.saved[0], **ctx.options)


class GlobalAvgPool2D(Function):
    """y[n,c] = the mean of x[n,:,:,c]"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, keepdims: bool) -> Any:
        ctx.save(x.shape)
        return kernels.global_avgpool2d.forward(x, keepdims)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.global_avgpool2d.backward(dy, ctx.saved[0])


class GlobalMaxPool2D(Function):
    """y[n,c] = the largest of x[n,:,:,c]; the first in scan order takes the gradient"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, keepdims: bool) -> Any:
        y = kernels.global_maxpool2d.forward(x, keepdims)
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, y = ctx.saved
        return kernels.global_maxpool2d.backward(x, y, dy)


def maxpool2d(
    x: Tensor, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: Padding = "valid"
) -> Tensor:
    """The largest value of each window of x (N,H,W,C): y (N,OH,OW,C).  Strides default to the window's size.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.maxpool2d(minicnn.Tensor(np.arange(16.0).reshape(1, 4, 4, 1))).numpy()[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return MaxPool2D.apply(x, pool_size=pool_size, strides=strides, padding=padding)


def avgpool2d(
    x: Tensor, pool_size: int | Pair = 2, strides: int | Pair | None = None, padding: Padding = "valid"
) -> Tensor:
    """The mean of each window of x (N,H,W,C), padding not counted: y (N,OH,OW,C).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.avgpool2d(minicnn.Tensor(np.arange(16.0).reshape(1, 4, 4, 1))).numpy()[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return AvgPool2D.apply(x, pool_size=pool_size, strides=strides, padding=padding)


def global_avgpool2d(x: Tensor, keepdims: bool = False) -> Tensor:
    """The mean of each channel of x (N,H,W,C): y (N,C), or (N,1,1,C) with keepdims.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.global_avgpool2d(minicnn.Tensor(np.ones((2, 3, 3, 4)))).shape
    (2, 4)
    """
    return GlobalAvgPool2D.apply(x, keepdims=keepdims)


def global_maxpool2d(x: Tensor, keepdims: bool = False) -> Tensor:
    """The largest value of each channel of x (N,H,W,C): y (N,C), or (N,1,1,C) with keepdims.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.global_maxpool2d(minicnn.Tensor(np.ones((2, 3, 3, 4))), keepdims=True).shape
    (2, 1, 1, 4)
    """
    return GlobalMaxPool2D.apply(x, keepdims=keepdims)
