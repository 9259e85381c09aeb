"""The dense product."""

from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor

from .activation import before_activation, finished


class Dense(Function):
    """y (...,O) = f(x (...,I) @ w (I,O) + b (O,)), f an activation whose slope is known from y"""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, *, activation: str | None = None) -> Any:
        y = kernels.dense.forward(x, w, b, activation=activation)
        ctx.save(x if ctx.needs[1] else None, w, y if activation else None)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, w, y = ctx.saved
        dy = before_activation(y, dy, ctx.options.get("activation"))
        return (
            kernels.dense.backward_input(dy, w) if ctx.needs[0] else None,
            kernels.dense.backward_weights(x, dy) if ctx.needs[1] else None,
            kernels.channel_sum.forward(dy) if ctx.needs[2] else None,
        )


def dense(x: Tensor, w: Tensor, b: Tensor | None = None, activation: str | None = None) -> Tensor:
    """y (...,O) = f(x (...,I) @ w (I,O) + b (O,)); `activation` is the name of f.

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> minicnn.ops.dense(minicnn.Tensor(np.ones((2, 3))), minicnn.Tensor(np.ones((3, 4)))).shape
    (2, 4)
    """
    return finished(Dense, (x, w, b), {}, activation)
