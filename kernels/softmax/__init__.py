"""softmax: the contract.

    y[k] = exp(x[k]) / sum over j of exp(x[j])        or, with log=True, the logarithm of that

x and y (...,K), one float dtype; the sum runs along the last axis.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import output_array, same_dtype
from .._gpu.rows import by_length
from .._registry import Operation

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v2_vector"


def _on_cuda(direction: str, x: np.ndarray, *arguments) -> str:
    return "v4_online" if direction == "forward" else by_length(x)


OPERATION = Operation("softmax", __name__, _default, on_cuda=_on_cuda)
OPERATION.rung("reference", "reference", ALL, "the definition, one row and one number at a time")
OPERATION.rung("v1_numpy", "blas", ALL, "the definition on whole arrays")
OPERATION.rung(
    "v2_vector", "cpu", ALL, "row by row while it is in cache, with an exponential in vector registers", replays=True
)
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every row", device="cuda")
OPERATION.rung("v2_warps", "cuda_rows", ALL, "a warp for every row: its threads read neighbours", device="cuda")
OPERATION.rung("v3_blocks", "cuda_rows", ALL, "a block for every row, for long ones", device="cuda")
OPERATION.rung(
    "v4_online", "cuda_rows", ("forward",), "the largest and the sum in one pass: a row is read twice", device="cuda"
)


def forward(x: np.ndarray, log: bool = False, *, rung: str | None = None, out: np.ndarray | None = None) -> np.ndarray:
    """y = softmax(x), or log softmax(x), along the last axis; never overflows.

    Parameters
    ----------
    x : (...,K), K at least 1
    out : array for y, which may be x itself; made when None

    Raises
    ------
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.softmax.forward(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    same_dtype("softmax", x=x)
    check_last_axis("softmax", x)
    return OPERATION.run("forward", x, x, log, output_array(out, x.shape, x, "softmax"), rung=rung)


def backward(
    y: np.ndarray,
    dy: np.ndarray,
    log: bool = False,
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dx = y (dy - sum of dy y), or with log, where y is the logarithm, dx = dy - exp(y) sum of dy."""
    same_dtype("softmax", y=y, dy=dy)
    check_last_axis("softmax", y)
    if y.shape != dy.shape:
        raise ShapeError(f"softmax: y {y.shape} and dy {dy.shape} must have one shape")
    return OPERATION.run("backward", y, y, dy, log, output_array(out, y.shape, y, "softmax"), rung=rung)


def check_last_axis(op: str, x: np.ndarray) -> None:
    """Raise ShapeError unless x has a last axis with something in it."""
    if x.ndim < 1 or x.shape[-1] < 1:
        raise ShapeError(f"{op}: x must be (...,K) with K at least 1; it is {x.shape}")
