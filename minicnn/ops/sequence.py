"""Operations on sequences x (N,T,...): steps picked, turned round, left out, or taken for samples."""

from typing import Any

import numpy as np

from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import ShapeError


class Pick(Function):
    """y = a copy of x[index]"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, index: Any) -> Any:
        ctx.save(x.shape)
        return x[index].copy()

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        dx = np.zeros_like(dy, shape=ctx.saved[0])
        dx[ctx.options["index"]] = dy
        return dx


class Reverse(Function):
    """y[n,t] = x[n,T-1-t]"""

    @staticmethod
    def forward(ctx: Context, x: Any) -> Any:
        return x[:, ::-1].copy()

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy[:, ::-1].copy()


class FoldTime(Function):
    """y[n T + t] = x[n,t]: every step is a sample"""

    is_view = True

    @staticmethod
    def forward(ctx: Context, x: Any) -> Any:
        ctx.save(x.shape)
        return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy.reshape(ctx.saved[0])


class UnfoldTime(Function):
    """y[n,t] = x[n T + t]: every T samples are the steps of one"""

    is_view = True

    @staticmethod
    def forward(ctx: Context, x: Any, *, steps: int) -> Any:
        ctx.save(x.shape)
        return x.reshape(x.shape[0] // steps, steps, *x.shape[1:])

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy.reshape(ctx.saved[0])


class Masked(Function):
    """y[n,t] = x[n,t] where mask[n,t] is not 0, else 0"""

    @staticmethod
    def forward(ctx: Context, x: Any, mask: Any) -> Any:
        ctx.save(mask)
        return np.where(_over_steps(mask, x), x, 0)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return np.where(_over_steps(ctx.saved[0], dy), dy, 0), None


class Unlike(Function):
    """y = 1 where x is not `value`, else 0; with `any_of_last`, 1 where any x along the last axis is not"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, value: float, any_of_last: bool) -> Any:
        differs = x != value
        return (differs.any(axis=-1) if any_of_last else differs).astype(x.dtype)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return None


class Seen(Function):
    """y[n,t] = 1 where mask[n,s] is not 0 for any s <= t, else 0"""

    @staticmethod
    def forward(ctx: Context, mask: Any) -> Any:
        return (np.cumsum(mask != 0, axis=1) > 0).astype(mask.dtype)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return None


def _over_steps(mask: Any, x: Any) -> Any:
    """The mask as booleans that broadcast to x."""
    return (mask != 0).reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))


def pick(x: Tensor, index: Any) -> Tensor:
    """A copy of x[index], the index made of numbers and slices.

    >>> import minicnn
    >>> minicnn.ops.pick(minicnn.Tensor([[1.0, 2.0, 3.0]]), (slice(None), -1)).numpy()
    array([3.])
    """
    return Pick.apply(x, index=index)


def reverse(x: Tensor) -> Tensor:
    """x (N,T,...) with its steps in the opposite order.

    >>> import minicnn
    >>> minicnn.ops.reverse(minicnn.Tensor([[1.0, 2.0, 3.0]])).numpy()
    array([[3., 2., 1.]])
    """
    return Reverse.apply(x)


def fold_time(x: Tensor) -> Tensor:
    """x (N,T,...) as N T samples (N T,...).

    >>> import numpy as np, minicnn
    >>> minicnn.ops.fold_time(minicnn.Tensor(np.ones((2, 3, 4)))).shape
    (6, 4)
    """
    return FoldTime.apply(x)


def unfold_time(x: Tensor, steps: int) -> Tensor:
    """N T samples (N T,...) as sequences (N,T,...) of T = `steps`.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.unfold_time(minicnn.Tensor(np.ones((6, 4))), 3).shape
    (2, 3, 4)
    """
    return UnfoldTime.apply(x, steps=steps)


def masked(x: Tensor, mask: Tensor) -> Tensor:
    """x (N,T,...) with zeros at the steps where mask (N,T) is 0; no gradient reaches the mask.

    >>> import minicnn
    >>> minicnn.ops.masked(minicnn.Tensor([[1.0, 2.0]]), minicnn.Tensor([[0.0, 1.0]])).numpy()
    array([[0., 2.]])
    """
    if x.shape[: mask.ndim] != mask.shape:
        raise ShapeError(f"masked: the mask {mask.shape} must have the first sizes of x {x.shape}")
    return Masked.apply(x, mask)


def unlike(x: Tensor, value: float, any_of_last: bool = False) -> Tensor:
    """A mask: 1 where x is not `value`, else 0; with `any_of_last`, of the steps that have such a number.

    >>> import minicnn
    >>> minicnn.ops.unlike(minicnn.Tensor([[0.0, 3.0]]), 0.0).numpy()
    array([[0., 1.]])
    """
    return Unlike.apply(x, value=value, any_of_last=any_of_last)


def seen(mask: Tensor) -> Tensor:
    """A mask (N,T) of the steps from the first on that another one keeps.

    >>> import minicnn
    >>> minicnn.ops.seen(minicnn.Tensor([[0.0, 1.0, 0.0]])).numpy()
    array([[0., 1., 1.]])
    """
    return Seen.apply(mask)
