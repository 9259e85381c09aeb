"""pad2d: the contract.

    y[n, top + i, left + j, c] = x[n,i,j,c],   `value` around it;      backward takes the middle out again

x (N,H,W,C), y (N,top+H+bottom,left+W+right,C); any sides may be 0.  Cropping is the same pair the other way round:
its forward is `backward` here.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import output_array, same_dtype
from .._registry import REFERENCE, Operation
from .._shapes import Padding, padding_sides


def _default(direction: str, *arguments) -> str:
    return REFERENCE


FOURS = "a thread for four numbers, read and written at once"
OPERATION = Operation("pad2d", __name__, _default)
OPERATION.rung("reference", "reference", ("forward", "backward"), "copied by slices, which is as fast as memory")
OPERATION.rung("v1_direct", "cuda", ("forward", "backward"), "a thread for every number", device="cuda")
OPERATION.rung("v2_vector", "cuda", ("forward", "backward"), FOURS, device="cuda")


def forward(
    x: np.ndarray, padding: Padding, value: float = 0.0, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """x with `value` around it.

    Parameters
    ----------
    x : (N,H,W,C)
    padding : a number for all sides, two for (height, width), or ((top,bottom),(left,right))

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.pad2d.forward(np.ones((1, 1, 2, 1)), ((0, 1), (1, 0)))[0, :, :, 0]
    array([[0., 1., 1.],
           [0., 0., 0.]])
    """
    (top, bottom), (left, right) = sides = _sides(x, padding)
    shape = (x.shape[0], top + x.shape[1] + bottom, left + x.shape[2] + right, x.shape[3])
    return OPERATION.run("forward", x, x, sides, value, output_array(out, shape, x, "pad2d", x), rung=rung)


def backward(dy: np.ndarray, padding: Padding, *, rung: str | None = None, out: np.ndarray | None = None) -> np.ndarray:
    """dy without the sides that forward has added."""
    (top, bottom), (left, right) = sides = _sides(dy, padding)
    shape = (dy.shape[0], dy.shape[1] - top - bottom, dy.shape[2] - left - right, dy.shape[3])
    if shape[1] < 0 or shape[2] < 0:
        raise ShapeError(f"pad2d: {sides} cannot be taken off an image of {dy.shape[1:3]}")
    return OPERATION.run("backward", dy, dy, sides, output_array(out, shape, dy, "pad2d", dy), rung=rung)


def _sides(x: np.ndarray, padding: Padding) -> tuple[tuple[int, int], tuple[int, int]]:
    same_dtype("pad2d", x=x)
    if x.ndim != 4:
        raise ShapeError(f"pad2d: x must be (N,H,W,C); it is {x.shape}")
    return padding_sides(padding)
