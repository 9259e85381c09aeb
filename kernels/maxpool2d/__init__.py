"""maxpool2d: the contract.

    y[n,i,j,c] = the largest x in the window of (i,j), channel by channel

x (N,H,W,C), y (N,OH,OW,C).  Padding never wins.  A window with a NaN gives NaN.  The gradient goes to the first
largest pixel in scan order (row by row), as in Keras; so backward needs x and y but no indices, and prediction pays
for none.
"""

import numpy as np

from .._arrays import output_array, same_dtype
from .._pooling import check_shape, resolve_pool
from .._registry import Operation
from .._shapes import Padding, Pair

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v3_vector"


OPERATION = Operation("maxpool2d", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the definition: six nested loops")
OPERATION.rung("v1_direct", "cpu_direct", ALL, "the same loops, compiled")
OPERATION.rung("v2_taps", "blas", ALL, "one NumPy maximum for each tap, over shifted views of the image")
OPERATION.rung("v3_vector", "cpu", ALL, "a vector of channels at a time, rows on several threads", replays=True)
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every number", device="cuda")
OPERATION.rung(
    "v3_vector", "cuda_vector", ALL, "a thread for four channels, a block for a row of an image", device="cuda"
)


def forward(
    x: np.ndarray,
    pool_size: int | Pair,
    strides: int | Pair | None = None,
    padding: Padding = "valid",
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """y (N,OH,OW,C) = the largest value of each window, channel by channel.

    Parameters
    ----------
    x : (N,H,W,C)
    strides : pool_size when None
    padding : "valid", "same" (Keras: asymmetric where it must be), or numbers smaller than the window
    out : array for y; made when None

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.maxpool2d.forward(np.arange(16.0).reshape(1, 4, 4, 1), 2)[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    same_dtype("maxpool2d", x=x)
    pool = resolve_pool("maxpool2d", x.shape, pool_size, strides, padding)
    y = output_array(out, pool.shape, x, "maxpool2d", x)
    return OPERATION.run("forward", x, x, pool, y, rung=rung)


def backward(
    x: np.ndarray,
    y: np.ndarray,
    dy: np.ndarray,
    pool_size: int | Pair,
    strides: int | Pair | None = None,
    padding: Padding = "valid",
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dx (N,H,W,C) = the gradient of sum(y * dy) for x; y is what forward gave for x."""
    same_dtype("maxpool2d", x=x, y=y, dy=dy)
    pool = resolve_pool("maxpool2d", x.shape, pool_size, strides, padding)
    check_shape("maxpool2d", "y", y, pool.shape)
    check_shape("maxpool2d", "dy", dy, pool.shape)
    dx = output_array(out, x.shape, x, "maxpool2d", x, y, dy)
    return OPERATION.run("backward", x, x, y, dy, pool, dx, rung=rung)
