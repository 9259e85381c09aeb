"""concatenate: the contract.

    y = the arrays one after another along an axis;      backward cuts dy into the same pieces

All sizes but those along the axis are equal; one float dtype.
"""

from collections.abc import Sequence

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .._arrays import output_array, same_dtype
from .._registry import REFERENCE, Operation


def _default(direction: str, *arguments) -> str:
    return "v1_threads" if direction == "forward" else REFERENCE


FOURS = "a thread for four numbers, read and written at once"
OPERATION = Operation("concatenate", __name__, _default)
OPERATION.rung("reference", "reference", ("forward", "backward"), "copied by slices, which is as fast as memory")
OPERATION.rung("v1_threads", "cpu", ("forward",), "rows of each array on several threads", replays=True)
OPERATION.rung("v1_direct", "cuda", ("forward", "backward"), "a thread for every number", device="cuda")
OPERATION.rung("v2_vector", "cuda", ("forward", "backward"), FOURS, device="cuda")


def forward(
    arrays: Sequence[np.ndarray], axis: int = -1, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """The arrays, one after another along an axis.

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.concatenate.forward([np.zeros((1, 2)), np.ones((1, 1))])
    array([[0., 0., 1.]])
    """
    if not arrays:
        raise ArgumentError("concatenate: there must be at least one array")
    same_dtype("concatenate", **{f"array {i}": array for i, array in enumerate(arrays)})
    shapes = [array.shape for array in arrays]
    axis = _axis(axis, len(shapes[0]))
    if len({(len(shape), *shape[:axis], *shape[axis + 1 :]) for shape in shapes}) > 1:
        found = ", ".join(map(str, shapes))
        raise ShapeError(f"concatenate: shapes may differ along axis {axis} only; they are {found}")
    total = sum(shape[axis] for shape in shapes)
    y = output_array(out, (*shapes[0][:axis], total, *shapes[0][axis + 1 :]), arrays[0], "concatenate", *arrays)
    return OPERATION.run("forward", arrays[0], list(arrays), axis, y, rung=rung)


def backward(dy: np.ndarray, sizes: Sequence[int], axis: int = -1, *, rung: str | None = None) -> list[np.ndarray]:
    """dy cut into contiguous pieces of `sizes` along an axis."""
    same_dtype("concatenate", dy=dy)
    axis = _axis(axis, dy.ndim)
    if sum(sizes) != dy.shape[axis]:
        raise ShapeError(f"concatenate: pieces of {list(sizes)} do not make up axis {axis} of dy {dy.shape}")
    shapes = [(*dy.shape[:axis], size, *dy.shape[axis + 1 :]) for size in sizes]
    pieces = [output_array(None, shape, dy, "concatenate") for shape in shapes]
    return OPERATION.run("backward", dy, dy, axis, pieces, rung=rung)


def _axis(axis: int, axes: int) -> int:
    if not -axes <= axis < axes:
        raise ArgumentError(f"concatenate: axis {axis} of arrays with {axes} axes")
    return axis % axes
