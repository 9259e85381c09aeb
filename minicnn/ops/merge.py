"""Several tensors into one, elementwise, with broadcasting."""

from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.autograd.arithmetic import Add, Multiply


class Maximum(Function):
    """y = the larger of a and b; a takes the gradient of a tie"""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any) -> Any:
        ctx.save(a, b)
        return kernels.elementwise.maximum(a, b)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        a, b = ctx.saved
        return kernels.elementwise.maximum_backward(a, b, dy)


def add(a: Tensor, b: Tensor) -> Tensor:
    """y = a + b, with broadcasting.

    >>> import minicnn
    >>> minicnn.ops.add(minicnn.Tensor([1.0]), minicnn.Tensor([2.0])).numpy()
    array([3.])
    """
    return Add.apply(a, b)


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """y = a b, with broadcasting, as of (N,H,W,C) with (N,1,1,C).

    >>> import minicnn
    >>> minicnn.ops.multiply(minicnn.Tensor([3.0]), minicnn.Tensor([2.0])).numpy()
    array([6.])
    """
    return Multiply.apply(a, b)


def maximum(a: Tensor, b: Tensor) -> Tensor:
    """y = the larger of a and b, with broadcasting.

    >>> import minicnn
    >>> minicnn.ops.maximum(minicnn.Tensor([3.0]), minicnn.Tensor([2.0])).numpy()
    array([3.])
    """
    return Maximum.apply(a, b)


def minimum(a: Tensor, b: Tensor) -> Tensor:
    """y = the smaller of a and b, with broadcasting.

    >>> import minicnn
    >>> minicnn.ops.minimum(minicnn.Tensor([3.0]), minicnn.Tensor([2.0])).numpy()
    array([2.])
    """
    return -Maximum.apply(-a, -b)
