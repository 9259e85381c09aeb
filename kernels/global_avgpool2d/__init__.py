"""global_avgpool2d: the contract.

    y[n,c] = the mean of x[n,h,w,c] over h and w

x (N,H,W,C), y (N,C), or (N,1,1,C) with keepdims.  It is avgpool2d with a window as large as the image.
"""

import numpy as np

from .._arrays import output_array, same_dtype
from .._pooling import check_shape, whole_image
from .._registry import Operation

ALL = ("forward", "backward")


def _default(direction: str, *arguments) -> str:
    return "v3_vector" if direction == "forward" else "v2_reduce"


OPERATION = Operation("global_avgpool2d", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the definition: avgpool2d's loops with a window as large as the image")
OPERATION.rung("v1_direct", "cpu_direct", ALL, "the same loops, compiled")
OPERATION.rung("v2_reduce", "blas", ALL, "NumPy's reduction over both axes; backward is a broadcast, bound by memory")
OPERATION.rung(
    "v3_vector", "cpu", ("forward",), "a vector of channels at a time, images on several threads", replays=True
)
OPERATION.rung("v1_direct", "cuda", ALL, "avgpool2d's kernel, with a window as large as the image", device="cuda")
OPERATION.rung("v2_reduce", "cuda_reduce", ("forward",), "threads of a block share out the pixels", device="cuda")
OPERATION.rung("v3_vector", "cuda_reduce", ("forward",), "as v2_reduce, a thread for four channels", device="cuda")
OPERATION.rung("v3_vector", "cuda_reduce", ("backward",), "avgpool2d's v3_vector, with such a window", device="cuda")


def forward(
    x: np.ndarray, keepdims: bool = False, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """y (N,C) = the mean of each channel of each image; (N,1,1,C) with keepdims.

    Raises
    ------
    ShapeError, DTypeError

    Source
    ------
    Lin, Chen & Yan, "Network In Network", 2014, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.global_avgpool2d.forward(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[3., 4.]])
    """
    same_dtype("global_avgpool2d", x=x)
    pool = whole_image("global_avgpool2d", x.shape)
    y = output_array(out, pool.shape if keepdims else pool.shape[::3], x, "global_avgpool2d", x)
    OPERATION.run("forward", x, x, pool, y.reshape(pool.shape), rung=rung)
    return y


def backward(
    dy: np.ndarray, input_shape: tuple[int, ...], *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """dx (N,H,W,C) = the gradient of sum(y * dy) for x; dy (N,C) or (N,1,1,C)."""
    same_dtype("global_avgpool2d", dy=dy)
    pool = whole_image("global_avgpool2d", input_shape)
    if dy.ndim == 2:
        dy = dy[:, None, None]
    check_shape("global_avgpool2d", "dy", dy, pool.shape)
    dx = output_array(out, input_shape, dy, "global_avgpool2d", dy)
    return OPERATION.run("backward", dy, dy, pool, dx, rung=rung)
