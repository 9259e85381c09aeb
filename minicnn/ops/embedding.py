"""Embedding: rows of a table by their numbers."""

from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor


class Embedding(Function):
    """y[...] = w[x[...]]; the gradient of a row is the sum of those of its uses"""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any) -> Any:
        y, rows = kernels.embedding.forward(x, w)
        ctx.save(rows, len(w))
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        rows, count = ctx.saved
        return None, kernels.embedding.backward(rows, dy, count)


def embedding(x: Tensor, w: Tensor) -> Tensor:
    """y (...,E): the rows of w (V,E) that x (...) numbers; parts of numbers are cut off.

    Raises
    ------
    DataError
        A number that is no row of w.

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> minicnn.ops.embedding(minicnn.Tensor([[0.0, 2.0]]), minicnn.Tensor(np.eye(3))).numpy()
    array([[[1., 0., 0.],
            [0., 0., 1.]]])
    """
    return Embedding.apply(x, w)
