"""The largest of some axes, and the logarithm: what functional models of Keras use beside the layers."""

from typing import Any

import numpy as np

from minicnn.autograd import Context, Function, Tensor


class Largest(Function):
    """y = the largest x along some axes; numbers that are equally large share its gradient"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
        y = x.max(axis=axis, keepdims=True)
        ctx.save(x == y)
        return y if keepdims else y.squeeze(axis)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        (ties,) = ctx.saved
        axis = ctx.options["axis"]
        dy = dy if ctx.options["keepdims"] else np.expand_dims(dy, axis)
        return dy * ties / ties.sum(axis=axis, keepdims=True, dtype=dy.dtype)


class Log(Function):
    """y = the natural logarithm of x"""

    @staticmethod
    def forward(ctx: Context, x: Any) -> Any:
        ctx.save(x)
        return np.log(x)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy / ctx.saved[0]


def largest(x: Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> Tensor:
    """The largest number along an axis or several.

    >>> import minicnn
    >>> minicnn.ops.largest(minicnn.Tensor([[1.0, 3.0], [2.0, 0.0]]), 1).numpy()
    array([3., 2.])
    """
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    return Largest.apply(x, axis=tuple(one % x.ndim for one in axes), keepdims=keepdims)


def log(x: Tensor) -> Tensor:
    """The natural logarithm.

    >>> import minicnn
    >>> minicnn.ops.log(minicnn.Tensor([1.0])).numpy()
    array([0.])
    """
    return Log.apply(x)
