"""global_maxpool2d: the contract.

    y[n,c] = the largest x[n,h,w,c] over h and w

x (N,H,W,C), y (N,C), or (N,1,1,C) with keepdims.  It is maxpool2d with a window as large as the image: a NaN wins,
and the gradient goes to the first largest pixel in scan order.
"""

import numpy as np

from .._arrays import output_array, same_dtype
from .._pooling import check_shape, whole_image
from .._registry import Operation

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v3_vector"


OPERATION = Operation("global_maxpool2d", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the definition: maxpool2d's loops with a window as large as the image")
OPERATION.rung("v1_direct", "cpu_direct", ALL, "the same loops, compiled")
OPERATION.rung("v2_reduce", "blas", ALL, "NumPy's max and argmax over all pixels")
OPERATION.rung("v3_vector", "cpu", ALL, "a vector of channels at a time, images on several threads")
OPERATION.rung("v1_direct", "cuda", ALL, "maxpool2d's kernel, with a window as large as the image", device="cuda")
OPERATION.rung("v2_reduce", "cuda_reduce", ALL, "threads of a block share out the pixels", device="cuda")
OPERATION.rung("v3_vector", "cuda_reduce", ALL, "as v2_reduce, a thread for four channels", device="cuda")


def forward(
    x: np.ndarray, keepdims: bool = False, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """y (N,C) = the largest value of each channel of each image; (N,1,1,C) with keepdims.

    Raises
    ------
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.global_maxpool2d.forward(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[6., 7.]])
    """
    same_dtype("global_maxpool2d", x=x)
    pool = whole_image("global_maxpool2d", x.shape)
    y = output_array(out, pool.shape if keepdims else pool.shape[::3], x, "global_maxpool2d", x)
    OPERATION.run("forward", x, x, pool, y.reshape(pool.shape), rung=rung)
    return y


def backward(
    x: np.ndarray, y: np.ndarray, dy: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """dx (N,H,W,C) = the gradient of sum(y * dy) for x; y is what forward gave for x; y and dy (N,C) or (N,1,1,C)."""
    same_dtype("global_maxpool2d", x=x, y=y, dy=dy)
    pool = whole_image("global_maxpool2d", x.shape)
    y, dy = (array[:, None, None] if array.ndim == 2 else array for array in (y, dy))
    check_shape("global_maxpool2d", "y", y, pool.shape)
    check_shape("global_maxpool2d", "dy", dy, pool.shape)
    dx = output_array(out, x.shape, x, "global_maxpool2d", x, y, dy)
    return OPERATION.run("backward", x, x, y, dy, pool, dx, rung=rung)
