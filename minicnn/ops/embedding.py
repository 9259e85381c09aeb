"""Embedding: rows of a table by their numbers."""

from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import DataError, UnsupportedError


class Embedding(Function):
    """y[...] = w[x[...]]; the gradient of a row is the sum of those of its uses"""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any) -> Any:
        with np.errstate(invalid="ignore"):
            rows = x.astype(np.int64)
        if rows.size and (rows.min() < 0 or rows.max() >= len(w)):
            raise DataError(
                f"embedding: the numbers go from {x.min():g} to {x.max():g}, the table has the rows 0 to {len(w) - 1}"
            )
        ctx.save(rows, w.shape)
        return w[rows]

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        rows, shape = ctx.saved
        if kernels.device_of(dy) != "cpu":
            raise UnsupportedError("embedding has no gradient on a GPU: train the table on the CPU, or freeze it")
        dw = np.zeros(shape, dy.dtype)
        np.add.at(dw, rows, dy)
        return None, dw


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
