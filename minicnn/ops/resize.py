"""Resizing of images: along each axis every output is a weighted sum of inputs, so that a resize is two products.

    y = R x Q',     R (OH,H) and Q (OW,W): the weights of the rows and of the columns

Output i lies at (i + 1/2) H / OH among the inputs, whose centres are at 1/2, 3/2, ...  A filter says how much an input
counts at a distance from there; weights add up to 1, also at the edge, where part of the filter lies outside.  With
`antialias` the filter of a picture that shrinks is as much wider as the picture becomes smaller.

The weights are those of TensorFlow, on which Keras computes them in float32 and looks cubic ones up in a table.
Sources: Keys, "Cubic Convolution Interpolation", 1981 (a = -1/2); Duchon, "Lanczos Filtering", 1979.
"""

from functools import lru_cache, partial
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import ArgumentError, ShapeError
from minicnn.kernels import Pair, pair

CUBIC_STEPS = 1024  # places between two inputs at which TensorFlow's table has the cubic weights


def linear(distance: np.ndarray) -> np.ndarray:
    """1 - d up to 1"""
    return np.maximum(1 - distance, 0)


def cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' piecewise cubic, which is 0 from 2 on"""
    d = distance
    near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def lanczos(distance: np.ndarray, lobes: int) -> np.ndarray:
    """sinc(d) sinc(d / lobes) up to `lobes`"""
    return np.where(distance < lobes, np.sinc(distance) * np.sinc(distance / lobes), 0)


FILTERS = {
    "bilinear": linear,
    "bicubic": cubic,
    "lanczos3": partial(lanczos, lobes=3),
    "lanczos5": partial(lanczos, lobes=5),
}
METHODS = ("nearest", *FILTERS)


@lru_cache(maxsize=64)
def axis_weights(size: int, target: int, method: str, antialias: bool) -> np.ndarray:
    """The weights (target,size) of one axis; rows add up to 1.

    >>> axis_weights(2, 4, "bilinear", False)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    scale = np.float32(size) / np.float32(target)
    places = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * scale
    if method == "nearest":
        return np.eye(size)[np.minimum(places.astype(int), size - 1)]
    if method == "bicubic" and not antialias:
        first = np.floor(places - np.float32(0.5))
        places = first + np.float32(0.5) + np.rint((places - np.float32(0.5) - first) * CUBIC_STEPS) / CUBIC_STEPS
    width = max(float(scale), 1.0) if antialias else 1.0
    distances = np.abs(np.arange(size) + 0.5 - places[:, None].astype(float)) / width
    weights = FILTERS[method](distances)
    return weights / weights.sum(axis=1, keepdims=True)


class Resize(Function):
    """y[n,i,j] = sum over p, q of R[i,p] Q[j,q] x[n,p,q]"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, size: Pair, method: str, antialias: bool) -> Any:
        ctx.save(x.shape)
        if not x.size:  # nothing is weighted, and a file may ask for sizes whose weights fill the memory
            return np.zeros_like(x, shape=(len(x), *size, x.shape[3]))
        rows, columns = _weights(x.shape, x, size=size, method=method, antialias=antialias)
        return _product(rows, columns, x)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        (shape,) = ctx.saved
        if not dy.size:
            return np.zeros_like(dy, shape=shape)
        rows, columns = _weights(shape, dy, **ctx.options)
        return _product(rows.T, columns.T, dy)


def _weights(shape: tuple[int, ...], like: Any, *, size: Pair, method: str, antialias: bool) -> Any:
    """The weights of the rows and of the columns, where an array is and of its dtype."""
    where = kernels.device_of(like)
    return (_weights_there(where, like.dtype, old, new, method, antialias) for old, new in zip(shape[1:3], size))


@lru_cache(maxsize=64)
def _weights_there(where: str, dtype: np.dtype, *axis: Any) -> Any:
    """The weights of an axis as arrays on a device, to which they are brought once."""
    return kernels.to_device(axis_weights(*axis).astype(dtype), where, wait=True)


def _product(rows: Any, columns: Any, x: Any) -> Any:
    """R x Q' for each image and channel, the columns while a row is short."""
    count, height, width, channels = x.shape
    y = rows @ x.reshape(count, height, width * channels)
    return columns @ y.reshape(count, len(rows), width, channels)


def resize(x: Tensor, size: int | Pair, method: str = "bilinear", antialias: bool = False) -> Tensor:
    """x (N,H,W,C) as images of another size: y (N,OH,OW,C); `method` is one of METHODS.

    Raises
    ------
    ArgumentError, ShapeError

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> minicnn.ops.resize(minicnn.Tensor(np.array([[[[0.0], [4.0]]]])), (1, 4)).numpy().ravel()
    array([0., 1., 3., 4.])
    """
    if method not in METHODS:
        raise ArgumentError(f"resize: method must be one of {', '.join(METHODS)}; it is {method!r}")
    if x.ndim != 4 or 0 in x.shape[1:3]:
        raise ShapeError(f"resize: x must be (N,H,W,C) with at least one pixel; it is {x.shape}")
    return Resize.apply(x, size=pair(size, "resize: size"), method=method, antialias=bool(antialias))
