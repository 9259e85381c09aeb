"""The dense product."""

from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor


class Dense(Function):
    """y (...,O) = x (...,I) @ w (I,O) + b (O,)"""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any) -> Any:
        ctx.save(x, w)
        return kernels.dense.forward(x, w, b)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, w = ctx.saved
        return (
            kernels.dense.backward_input(dy, w) if ctx.needs[0] else None,
            kernels.dense.backward_weights(x, dy) if ctx.needs[1] else None,
            kernels.channel_sum.forward(dy) if ctx.needs[2] else None,
        )


def dense(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
    """y (...,O) = x (...,I) @ w (I,O) + b (O,)

    Raises
    ------
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> minicnn.ops.dense(minicnn.Tensor(np.ones((2, 3))), minicnn.Tensor(np.ones((3, 4)))).shape
    (2, 4)
    """
    return Dense.apply(x, w, b)
