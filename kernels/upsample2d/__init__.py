"""upsample2d: the contract.

    y[n,i,j,c] = sum over p,q of  h[i,p] w[j,q] x[n,p,q,c]

x (N,H,W,C), y (N,H fh,W fw,C), for whole factors fh and fw.  "nearest" repeats every number fh fw times; "bilinear"
interpolates between the centres of pixels, half a pixel from their edges, as Keras does, and repeats the border beyond
the outer centres.  The gradient is the transpose: the same weights, read the other way.
"""

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .._arrays import output_array, same_dtype
from .._registry import Operation
from .._shapes import Pair, pair

ALL = ("forward", "backward")
INTERPOLATIONS = ("nearest", "bilinear")


def _default(direction: str, *arguments) -> str:
    """Repeating numbers needs no arithmetic: there NumPy's copy is faster than gathering."""
    return "v1_numpy" if direction == "forward" and arguments[2] == "nearest" else "v2_gather"


OPERATION = Operation("upsample2d", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the definition: every number sends its share to every output")
OPERATION.rung("v1_numpy", "blas", ALL, "one axis after the other; outputs of one phase have one weight")
OPERATION.rung("v2_gather", "cpu", ALL, "one axis after the other, each output gathering its few inputs")
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every number", device="cuda")
OPERATION.rung("v3_vector", "cuda", ALL, "a thread for four channels, read and written at once", device="cuda")


def forward(
    x: np.ndarray,
    size: int | Pair = 2,
    interpolation: str = "nearest",
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """x (N,H,W,C) enlarged to (N,H fh,W fw,C).

    Parameters
    ----------
    x : (N,H,W,C)
    size : (fh,fw), or one factor for both
    interpolation : "nearest" or "bilinear"

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.upsample2d.forward(np.array([0.0, 4.0]).reshape(1, 1, 2, 1), (1, 2), "bilinear").ravel()
    array([0., 1., 3., 4.])
    """
    factors = _check(x, size, interpolation)
    shape = (x.shape[0], x.shape[1] * factors[0], x.shape[2] * factors[1], x.shape[3])
    y = output_array(out, shape, x, "upsample2d", x)
    return OPERATION.run("forward", x, x, factors, interpolation, y, rung=rung)


def backward(
    dy: np.ndarray,
    size: int | Pair = 2,
    interpolation: str = "nearest",
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dx (N,H,W,C) of dy (N,H fh,W fw,C)."""
    factors = _check(dy, size, interpolation)
    if dy.shape[1] % factors[0] or dy.shape[2] % factors[1]:
        raise ShapeError(f"upsample2d: dy {dy.shape} is no image enlarged by {factors}")
    shape = (dy.shape[0], dy.shape[1] // factors[0], dy.shape[2] // factors[1], dy.shape[3])
    dx = output_array(out, shape, dy, "upsample2d", dy)
    return OPERATION.run("backward", dy, dy, factors, interpolation, dx, rung=rung)


def _check(x: np.ndarray, size: int | Pair, interpolation: str) -> Pair:
    same_dtype("upsample2d", x=x)
    if x.ndim != 4:
        raise ShapeError(f"upsample2d: x must be (N,H,W,C); it is {x.shape}")
    if interpolation not in INTERPOLATIONS:
        raise ArgumentError(f"upsample2d: interpolation must be 'nearest' or 'bilinear'; it is {interpolation!r}")
    return pair(size, "size")
