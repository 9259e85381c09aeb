"""channel_sum: the contract.

    y[c] = sum of x[..., c] over every other axis

x (…,C), y (C,); one float dtype.  It is the gradient of a bias that was added to every row.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import output_array, same_dtype
from .._registry import Operation


def _default(direction: str, *arguments) -> str:
    return "v3_chunks"


OPERATION = Operation("channel_sum", __name__, _default)
OPERATION.rung("reference", "reference", ("forward",), "the definition: rows added one by one")
OPERATION.rung("v1_direct", "cpu_direct", ("forward",), "the same loops, compiled")
OPERATION.rung("v2_reduce", "blas", ("forward",), "NumPy's reduction along the first axis")
OPERATION.rung("v3_chunks", "cpu", ("forward",), "chunks of rows on several threads, their sums added in order")
OPERATION.rung("v1_direct", "cuda", ("forward",), "a thread for every channel", device="cuda")
OPERATION.rung("v2_reduce", "cuda_reduce", ("forward",), "threads of a block share out the rows", device="cuda")
OPERATION.rung(
    "v3_chunks", "cuda_chunks", ("forward",), "chunks of rows in many blocks, their sums added in order", device="cuda"
)
OPERATION.rung("v4_vector", "cuda_chunks", ("forward",), "as v3_chunks, a thread for four channels", device="cuda")


def forward(x: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None) -> np.ndarray:
    """y[c] = sum of x[..., c], y (C,).

    Parameters
    ----------
    x : (…,C)
    out : array for y; made when None

    Raises
    ------
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.channel_sum.forward(np.ones((2, 3, 3, 4)))
    array([18., 18., 18., 18.])
    """
    same_dtype("channel_sum", x=x)
    if x.ndim < 1 or x.shape[-1] < 1:
        raise ShapeError(f"channel_sum: x must be (…,C) with at least one channel; it is {x.shape}")
    y = output_array(out, x.shape[-1:], x, "channel_sum", x)
    return OPERATION.run("forward", x, x.reshape(-1, x.shape[-1]), y, rung=rung)
