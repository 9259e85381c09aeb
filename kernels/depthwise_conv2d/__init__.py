"""depthwise_conv2d: the contract.

    y = activation(depthwise(x, w) + bias + residual)

x (N,H,W,C), w (KH,KW,C,M), bias (C*M,), residual and y (N,OH,OW,C*M); one float dtype for all.  Every channel has
filters of its own: channel c of x makes channels c*M .. c*M+M-1 of y.  These are Keras' layouts.
"""

import numpy as np

from minicnn.errors import ShapeError

from .._arrays import output_array, same_dtype
from .._epilogue import Epilogue
from .._registry import Operation
from .._shapes import Padding, Pair, Window, resolve_window, window_outputs
from ._choice import choose, choose_on_cuda

ALL = ("forward", "backward_input", "backward_weights")


def _default(direction: str, *arguments) -> str:
    if direction == "forward":
        _, w, window, _, y = arguments
        return choose(w.shape, window, y.shape)
    return "v3_vector"


OPERATION = Operation("depthwise_conv2d", __name__, _default, on_cuda=choose_on_cuda)
OPERATION.rung("reference", "reference", ALL, "the definition: seven nested loops")
OPERATION.rung("v1_direct", "cpu_direct", ALL, "the same loops, compiled")
OPERATION.rung("v2_taps", "blas", ALL, "one NumPy multiply and add for each tap, over shifted views of the image")
OPERATION.rung(
    "v3_vector",
    "cpu",
    ALL,
    "a vector of channels at a time, the sums of neighbouring pixels in registers",
    replays=True,
)
COLUMNS = "seven pixels of a row together: each column of the image is loaded once for all windows that see it"
OPERATION.rung("v4_columns", "cpu_columns", ("forward",), COLUMNS, replays=True)
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every number", device="cuda")
PIXELS = "four channels of four pixels of a row for every thread"
OPERATION.rung("v3_vector", "cuda_vector", ALL[:2], PIXELS, device="cuda")
TAPS = "four channels of a tap for every thread, rows of dy in chunks that are added in order"
OPERATION.rung("v3_vector", "cuda_vector", ("backward_weights",), TAPS, device="cuda")
OVERLAP = "each column of the image is read once for all windows of a thread that see it"
OPERATION.rung("v4_columns", "cuda_columns", ALL, OVERLAP, device="cuda")


def forward(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    activation: str | None = None,
    residual: np.ndarray | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """y = activation(depthwise(x, w) + bias + residual), y (N,OH,OW,C*M).

    Parameters
    ----------
    x : (N,H,W,C)
    w : (KH,KW,C,M)
    padding : "valid", "same" (Keras: asymmetric where it must be), a number, two, or ((top,bottom),(left,right))
    out : array for y, apart from the inputs; made when None

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Source
    ------
    Sifre, "Rigid-Motion Scattering for Image Classification", 2014, section 6.2; Howard et al., "MobileNets", 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> x, w = np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 2))
    >>> kernels.depthwise_conv2d.forward(x, w, padding="same")[0, 0, 0]
    array([4., 4., 4., 4.])
    """
    same_dtype("depthwise_conv2d", x=x, w=w, bias=bias, residual=residual)
    window, shape = _window_and_output(x.shape, w.shape, strides, padding, dilation)
    epilogue = Epilogue(bias, activation, residual)
    epilogue.check(shape[3], shape, "depthwise_conv2d")
    y = output_array(out, shape, x, "depthwise_conv2d", x, w, bias, residual)
    return OPERATION.run("forward", x, x, w, window, epilogue, y, rung=rung)


def backward_input(
    dy: np.ndarray,
    w: np.ndarray,
    input_shape: tuple[int, ...],
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dx (N,H,W,C) = the gradient of sum(y * dy) for x; dy (N,OH,OW,C*M)."""
    same_dtype("depthwise_conv2d", dy=dy, w=w)
    window, shape = _window_and_output(input_shape, w.shape, strides, padding, dilation)
    _check_gradient(dy, shape)
    dx = output_array(out, input_shape, dy, "depthwise_conv2d", dy, w)
    return OPERATION.run("backward_input", dy, dy, w, window, dx, rung=rung)


def backward_weights(
    x: np.ndarray,
    dy: np.ndarray,
    kernel_shape: tuple[int, ...],
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dw (KH,KW,C,M) = the gradient of sum(y * dy) for w."""
    same_dtype("depthwise_conv2d", x=x, dy=dy)
    window, shape = _window_and_output(x.shape, kernel_shape, strides, padding, dilation)
    _check_gradient(dy, shape)
    dw = output_array(out, kernel_shape, x, "depthwise_conv2d", x, dy)
    return OPERATION.run("backward_weights", x, x, dy, window, dw, rung=rung)


def _window_and_output(
    x_shape: tuple, w_shape: tuple, strides: int | Pair, padding: Padding, dilation: int | Pair
) -> tuple[Window, tuple[int, ...]]:
    """The Window, and y's shape, of shapes that fit together."""
    if len(x_shape) != 4 or len(w_shape) != 4 or x_shape[3] != w_shape[2]:
        raise ShapeError(f"depthwise_conv2d: x must be (N,H,W,C) and w (KH,KW,C,M); they are {x_shape} and {w_shape}")
    if not all(w_shape):
        raise ShapeError(f"depthwise_conv2d: w must have taps, channels and filters; its shape is {w_shape}")
    window = resolve_window(x_shape[1:3], w_shape[:2], strides, padding, dilation)
    outputs = window_outputs(x_shape[1:3], w_shape[:2], window, "depthwise_conv2d")
    return window, (x_shape[0], *outputs, w_shape[2] * w_shape[3])


def _check_gradient(dy: np.ndarray, shape: tuple[int, ...]) -> None:
    if dy.shape != shape:
        raise ShapeError(f"depthwise_conv2d: dy must have the output's shape {shape}, it has {dy.shape}")
