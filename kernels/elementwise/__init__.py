"""elementwise: the contract.

    add:  y = a + b          multiply:  y = a b          maximum:  y = the larger of a and b

a and b broadcast together as in NumPy, (N,H,W,C) with (N,1,1,C) for example; one float dtype.  The gradient of an
operand that was repeated is the sum over its repetitions (direction `reduce`), made in float64 and in one order.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import output_array, same_dtype
from .._epilogue import rectified
from .._registry import REFERENCE, Operation


def _default(direction: str, *arguments) -> str:
    return "v1_threads" if direction in FORWARD else REFERENCE


FORWARD = ("add", "multiply", "maximum")
ALL = (*FORWARD, "maximum_backward", "reduce")
PARTS = "one compiled loop, on parts of the arrays that several threads take"
FOURS = "a thread for four numbers, read and written at once"
OPERATION = Operation("elementwise", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "one NumPy operation")
OPERATION.rung("v1_threads", "cpu", FORWARD, PARTS, replays=True)
OPERATION.rung("v1_direct", "cuda", (*FORWARD, "maximum_backward"), "a thread for every number", device="cuda")
OPERATION.rung("v1_direct", "cuda_reduce", ("reduce",), "a thread for every number", device="cuda")
OPERATION.rung("v2_chunks", "cuda_reduce", ("reduce",), "chunks of the repeated axis, then their sums", device="cuda")
OPERATION.rung("v2_vector", "cuda", FORWARD, FOURS, device="cuda")


def add(
    a: np.ndarray,
    b: np.ndarray,
    *,
    activation: str | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """y = activation(a + b); `out` may be a or b.

    Raises
    ------
    ShapeError, DTypeError
    ArgumentError
        Another activation than "relu" and "relu6".

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.elementwise.add(np.array([[1.0], [2.0]]), np.array([10.0, 20.0]))
    array([[11., 21.],
           [12., 22.]])
    """
    return _forward("add", a, b, rung, out, activation)


def multiply(a: np.ndarray, b: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None) -> np.ndarray:
    """y = a b; `out` may be a or b."""
    return _forward("multiply", a, b, rung, out)


def maximum(a: np.ndarray, b: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None) -> np.ndarray:
    """y = the larger of a and b, NaN where either is; `out` may be a or b."""
    return _forward("maximum", a, b, rung, out)


def add_backward(dy: np.ndarray, a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(da, db); dy itself for an operand of its shape."""
    same_dtype("elementwise", dy=dy)
    return _reduce(dy, a_shape), _reduce(dy, b_shape)


def multiply_backward(a: np.ndarray, b: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(da, db) = (dy b, dy a), summed to the shapes of a and b."""
    return _reduce(multiply(dy, b), a.shape), _reduce(multiply(dy, a), b.shape)


def maximum_backward(a: np.ndarray, b: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(da, db): dy goes to the larger one, and to a where they are equal."""
    same_dtype("elementwise", a=a, b=b, dy=dy)
    if dy.shape != _broadcast_shape(a, b):
        raise ShapeError(f"elementwise: dy {dy.shape} is not the shape that a {a.shape} and b {b.shape} broadcast to")
    da, db = (output_array(None, dy.shape, dy, "elementwise") for _ in range(2))
    OPERATION.run("maximum_backward", dy, a, b, dy, da, db)
    return _reduce(da, a.shape), _reduce(db, b.shape)


def _forward(
    direction: str,
    a: np.ndarray,
    b: np.ndarray,
    rung: str | None,
    out: np.ndarray | None,
    activation: str | None = None,
) -> np.ndarray:
    same_dtype("elementwise", a=a, b=b)
    y = output_array(out, _broadcast_shape(a, b), a, "elementwise")
    return OPERATION.run(direction, a, a, b, rectified(activation, "elementwise"), y, rung=rung)


def _broadcast_shape(a: np.ndarray, b: np.ndarray) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ShapeError(f"elementwise: shapes {a.shape} and {b.shape} do not broadcast together") from None


def _reduce(dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """dy summed over the axes along which an operand of `shape` was repeated."""
    if dy.shape == shape:
        return dy
    return OPERATION.run("reduce", dy, dy, output_array(None, shape, dy, "elementwise"))
