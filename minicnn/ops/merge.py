"""Several tensors into one: elementwise with broadcasting, and as products of their samples."""

from math import prod
from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.autograd.arithmetic import Add, Multiply
from minicnn.errors import ShapeError

from .activation import before_activation
from .shape import permute, reshape


class AddActivated(Function):
    """y = f(a + b), for f whose slope is known from y"""

    @staticmethod
    def forward(ctx: Context, a: Any, b: Any, *, activation: str) -> Any:
        y = kernels.elementwise.add(a, b, activation=activation)
        ctx.save(a.shape, b.shape, y)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        *shapes, y = ctx.saved
        return kernels.elementwise.add_backward(before_activation(y, dy, ctx.options["activation"]), *shapes)


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


def add(a: Tensor, b: Tensor, activation: str | None = None) -> Tensor:
    """y = a + b, with broadcasting; `activation`: None, "relu" or "relu6", to follow in the same operation.

    >>> import minicnn
    >>> minicnn.ops.add(minicnn.Tensor([1.0]), minicnn.Tensor([2.0])).numpy()
    array([3.])
    """
    return Add.apply(a, b) if activation is None else AddActivated.apply(a, b, activation=activation)


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


def batch_dot(a: Tensor, b: Tensor, axes: tuple[int, int]) -> Tensor:
    """y (N, other axes of a, other axes of b): for each sample, the sums of products along an axis of a and one of b.

    Of rows it is (N,1).

    >>> import numpy as np, minicnn
    >>> a, b = minicnn.Tensor(np.ones((2, 3, 4))), minicnn.Tensor(np.ones((2, 5, 4)))
    >>> minicnn.ops.batch_dot(a, b, (2, 2)).shape
    (2, 3, 5)
    """
    if not all(0 < axis < t.ndim for t, axis in zip((a, b), axes)) or a.shape[axes[0]] != b.shape[axes[1]]:
        raise ShapeError(f"batch_dot: {a.shape} and {b.shape} have no such product along the axes {axes}")
    (rest_a, sizes_a), (rest_b, sizes_b) = (
        ([i for i in range(1, t.ndim) if i != axis], [t.shape[i] for i in range(1, t.ndim) if i != axis])
        for t, axis in zip((a, b), axes)
    )
    size = a.shape[axes[0]]
    rows = reshape(permute(a, (*rest_a, axes[0])), (prod(sizes_a), size))
    columns = reshape(permute(b, (axes[1], *rest_b)), (size, prod(sizes_b)))
    return reshape(rows @ columns, (*sizes_a, *sizes_b) or (1,))
