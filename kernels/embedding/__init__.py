"""embedding: the contract.

    y[..., e] = w[x[...], e]          dw[v, e] = sum of dy[..., e] over all places where x is v

x (…) numbers of rows, whose fractions are cut off; w (V,E), y (…,E); one float dtype.
"""

from typing import Any

import numpy as np

from minicnn.errors import DataError, ShapeError

from .._arrays import output_array, same_dtype
from .._moving import to_device
from .._registry import Operation
from .._where import device_of, one_device

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v1_numpy"


OPERATION = Operation("embedding", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the definition, one row at a time")
OPERATION.rung("v1_numpy", "blas", ALL, "`take`; gradients sorted by row, so that each row's lie side by side")
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every number, which adds up all uses of its row", device="cuda")
OPERATION.rung("v2_vector", "cuda", ("forward",), "a thread for four numbers, read and written at once", device="cuda")
OPERATION.rung(
    "v2_shared", "cuda_shared", ("backward",), "threads of a block share out the uses of a row", device="cuda"
)


def forward(
    x: np.ndarray, w: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(y, rows): y[...] = w[x[...]], and x as whole numbers.

    Parameters
    ----------
    x : (…) real numbers from 0 to less than V
    w : (V,E)
    out : array for y (…,E); made when None

    Raises
    ------
    ShapeError, DTypeError
    DataError
        A number that is no row of w.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> y, rows = kernels.embedding.forward(np.array([2, 0]), np.array([[1.0], [2.0], [3.0]]))
    >>> y.tolist(), rows.tolist()
    ([[3.0], [1.0]], [2, 0])
    """
    same_dtype("embedding", w=w)
    if w.ndim != 2:
        raise ShapeError(f"embedding: w must be (V,E); it is {w.shape}")
    rows = to_device(_rows(x, len(w)), device_of(w))
    y = output_array(out, (*x.shape, w.shape[1]), w, "embedding", w)
    OPERATION.run("forward", w, rows.reshape(-1), w, y.reshape(-1, w.shape[1]), rung=rung)
    return y, rows


def backward(
    rows: np.ndarray, dy: np.ndarray, count: int, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """dw (V,E) for V = `count`: each row is the sum of dy (…,E) over its uses, of the `rows` (…) that forward gave.

    Raises
    ------
    ShapeError, DTypeError
    """
    same_dtype("embedding", dy=dy)
    one_device("embedding", rows=rows, dy=dy)
    if rows.shape != dy.shape[:-1]:
        raise ShapeError(f"embedding: dy must be {(*rows.shape, 'E')}; it is {dy.shape}")
    dw = output_array(out, (count, dy.shape[-1]), dy, "embedding", dy)
    return OPERATION.run("backward", dy, rows.reshape(-1), dy.reshape(rows.size, dy.shape[-1]), dw, rung=rung)


def _rows(x: Any, count: int) -> Any:
    """x as whole numbers, when they are rows of a table of so many."""
    with np.errstate(invalid="ignore"):
        rows = x.astype(np.int64)
    if rows.size and bool(((rows < 0) | (rows >= count)).any()):
        raise DataError(
            f"embedding: the numbers go from {x.min():g} to {x.max():g}, the table has the rows 0 to {count - 1}"
        )
    return rows
