"""prelu: the contract.

    y = x where x > 0, else alpha x

x (N,...); alpha has the shape of one sample, or size 1 along the axes that share one number ((1,1,C) shares it over
the image).  One float dtype.  The slope at x = 0 is 0, as in Keras, which computes relu(x) - alpha relu(-x).
Source: He et al., "Delving Deep into Rectifiers", 2015.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import output_array, same_dtype
from .._registry import Operation

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v2_vector"


FOURS = "a thread for four numbers, read and written at once"
OPERATION = Operation("prelu", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the definition, one number at a time")
OPERATION.rung("v1_numpy", "blas", ALL, "the definition on whole arrays")
OPERATION.rung("v2_vector", "cpu", ALL, "one compiled pass for each direction")
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every number", device="cuda")
OPERATION.rung("v2_vector", "cuda", ALL, FOURS, device="cuda")


def forward(x: np.ndarray, alpha: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None) -> np.ndarray:
    """y = x where x > 0, else alpha x.

    Parameters
    ----------
    x : (N,...)
    alpha : the shape of one sample, with 1 where an axis shares one number
    out : array for y, which may be x itself; made when None

    Raises
    ------
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.prelu.forward(np.array([[-2.0, 4.0]]), np.array([0.5, 0.5]))
    array([[-1.,  4.]])
    """
    _check(x, alpha)
    return OPERATION.run("forward", x, x, alpha, output_array(out, x.shape, x, "prelu"), rung=rung)


def backward(
    x: np.ndarray, alpha: np.ndarray, dy: np.ndarray, *, rung: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(dx, dalpha): dy times 1, alpha or 0 by the sign of x, and the sum of dy min(x, 0) over all that share alpha."""
    _check(x, alpha, dy=dy)
    if x.shape != dy.shape:
        raise ShapeError(f"prelu: x {x.shape} and dy {dy.shape} must have one shape")
    dx, dalpha = output_array(None, x.shape, x, "prelu"), output_array(None, alpha.shape, x, "prelu")
    return OPERATION.run("backward", x, x, alpha, dy, dx, dalpha, rung=rung)


def _check(x: np.ndarray, alpha: np.ndarray, **others: np.ndarray) -> None:
    same_dtype("prelu", x=x, alpha=alpha, **others)
    if x.ndim != alpha.ndim + 1 or any(a not in (1, size) for a, size in zip(alpha.shape, x.shape[1:])):
        raise ShapeError(f"prelu: alpha {alpha.shape} must have the shape of a sample {x.shape[1:]}, or 1 where shared")


def shared_axes(alpha_shape: tuple[int, ...], sample_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of a sample along which alpha has one number for many."""
    return tuple(axis for axis, (a, size) in enumerate(zip(alpha_shape, sample_shape)) if a != size)
