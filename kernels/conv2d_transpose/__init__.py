"""conv2d_transpose: the contract.

    y = activation(transposed convolution(x, w) + bias)

x (N,H,W,C), w (KH,KW,F,C), bias (F,), y (N,OH,OW,F); one float dtype for all; Keras' layouts.  It is the input
gradient of a conv2d that turns y into x, so its rungs are those of conv2d, turned around:

    forward           conv2d backward_input      (x in the place of the gradient)
    backward_input    conv2d forward
    backward_weights  conv2d backward_weights    (x and dy in each other's place)
"""

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .. import conv2d
from .._arrays import output_array, same_dtype
from .._epilogue import Epilogue
from .._registry import Operation
from .._shapes import Pair, Window, pair
from ..conv2d._choice import BATCH, choose
from ..conv2d._cuda_choice import IMAGES, TENSOR, choose_on_cuda, choose_weights_on_cuda

ALL = ("forward", "backward_input", "backward_weights")


def _default(direction: str, *arguments) -> str:
    """What conv2d would run on; forward, which predicts, on the same rung for every number of images."""
    if direction == "forward":
        _, w, window, _, y = arguments
        return choose((BATCH, *y.shape[1:]), (*w.shape[:2], w.shape[3]), window, prepared=False)
    if direction == "backward_input":
        dy, w, window, dx = arguments
        return conv2d.OPERATION.default("forward", dy, w, window, Epilogue(), dx)
    x, dy, window, dw = arguments
    return conv2d.OPERATION.default("backward_weights", dy, x, window, dw)


def _on_cuda(direction: str, *arguments) -> str:
    """As on the CPU."""
    if direction == "forward":
        _, w, window, _, y = arguments
        return choose_on_cuda((IMAGES, *y.shape[1:]), (*w.shape[:2], w.shape[3]), window, prepared=False)
    if direction == "backward_input":
        _, w, window, dx = arguments
        return choose_on_cuda(dx.shape, w.shape[:3], window, prepared=False)
    x, _, window, dw = arguments
    return choose_weights_on_cuda(x.shape, dw.shape[:3], window)


OPERATION = Operation("conv2d_transpose", __name__, _default, images=BATCH, on_cuda=_on_cuda)
OPERATION.rung("reference", "reference", ALL, "the definition: conv2d's loops, turned around")
OPERATION.rung("v1_direct", "cpu_direct", ALL, "the same loops, compiled")
OPERATION.rung("v2_im2col", "blas", ALL, "one BLAS product, its rows added to where their windows lie")
OPERATION.rung("v3_tiled", "cpu_tiled", ALL, "a small convolution for each residue of the strides, sums in registers")
OPERATION.rung("v4_blocked", "cpu_blocked", ALL, "the same, with windows copied block by block into cache")
for rung, directions in (("v5_winograd_2", ALL[:2]), ("v6_winograd_4", ALL)):
    OPERATION.rung(rung, "cpu_winograd", directions, "3x3 kernels with stride 1 meet the image at Winograd's points")
DIRECT = "a thread for every number, by the kernels of conv2d"
OPERATION.rung("v1_direct", "cuda", ALL, DIRECT, device="cuda")
BLOCKED = "matrix products that nobody writes down, for each residue of the strides where they spread"
OPERATION.rung("v4_blocked", "cuda_blocked", ALL, BLOCKED, device="cuda")
for rung, directions in (("v5_winograd_2", ALL[:2]), ("v6_winograd_4", ALL[:2])):
    note = "3x3 kernels with stride 1 meet the image at Winograd's points"
    OPERATION.rung(rung, "cuda_winograd", directions, note, device="cuda")
for rung, rounding in TENSOR.items():
    note = f"the blocked products on tensor cores, of numbers rounded to {rounding}; only where it is asked for"
    OPERATION.rung(rung, "cuda_tensor", ALL, note, device="cuda")


def forward(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    strides: int | Pair = 1,
    padding: str = "valid",
    output_padding: int | Pair | None = None,
    activation: str | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """y = activation(transposed convolution(x, w) + bias), y (N,OH,OW,F).

    Parameters
    ----------
    x : (N,H,W,C)
    w : (KH,KW,F,C)
    padding : "valid": H * s + max(KH - s, 0) outputs along an axis; "same": H * s
    output_padding : p, less than the stride: (H - 1) s + KH + p outputs ("valid"), less 2 (KH // 2) ("same")
    out : array for y; made when None

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Source
    ------
    Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> x, w = np.ones((1, 2, 2, 1)), np.ones((3, 3, 1, 1))
    >>> kernels.conv2d_transpose.forward(x, w, strides=2)[0, :, :, 0]
    array([[1., 1., 2., 1., 1.],
           [1., 1., 2., 1., 1.],
           [2., 2., 4., 2., 2.],
           [1., 1., 2., 1., 1.],
           [1., 1., 2., 1., 1.]])
    """
    same_dtype("conv2d_transpose", x=x, w=w, bias=bias)
    window, shape = _window_and_output(x.shape, w.shape, strides, padding, output_padding)
    epilogue = Epilogue(bias, activation)
    epilogue.check(shape[3], shape, "conv2d_transpose")
    y = output_array(out, shape, x, "conv2d_transpose", x, w, bias)
    return OPERATION.run("forward", x, x, w, window, epilogue, y, rung=rung)


def backward_input(
    dy: np.ndarray,
    w: np.ndarray,
    input_shape: tuple[int, ...],
    *,
    strides: int | Pair = 1,
    padding: str = "valid",
    output_padding: int | Pair | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dx (N,H,W,C) = the gradient of sum(y * dy) for x; dy (N,OH,OW,F)."""
    same_dtype("conv2d_transpose", dy=dy, w=w)
    window, shape = _window_and_output(input_shape, w.shape, strides, padding, output_padding)
    _check_gradient(dy, shape)
    dx = output_array(out, input_shape, dy, "conv2d_transpose", dy, w)
    return OPERATION.run("backward_input", dy, dy, w, window, dx, rung=rung)


def backward_weights(
    x: np.ndarray,
    dy: np.ndarray,
    kernel_shape: tuple[int, ...],
    *,
    strides: int | Pair = 1,
    padding: str = "valid",
    output_padding: int | Pair | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dw (KH,KW,F,C) = the gradient of sum(y * dy) for w."""
    same_dtype("conv2d_transpose", x=x, dy=dy)
    window, shape = _window_and_output(x.shape, kernel_shape, strides, padding, output_padding)
    _check_gradient(dy, shape)
    dw = output_array(out, kernel_shape, x, "conv2d_transpose", x, dy)
    return OPERATION.run("backward_weights", x, x, dy, window, dw, rung=rung)


def output_size(size: int, taps: int, stride: int, padding: str = "valid", output_padding: int | None = None) -> int:
    """Number of outputs along one axis, as Keras counts them.

    >>> from minicnn.kernels.conv2d_transpose import output_size
    >>> output_size(4, 3, 2), output_size(4, 3, 2, "same"), output_size(4, 3, 2, "same", 0)
    (9, 8, 7)
    """
    if padding not in ("valid", "same"):
        raise ArgumentError(f"conv2d_transpose: padding must be 'valid' or 'same'; it is {padding!r}")
    if output_padding is None:
        return size * stride + (max(taps - stride, 0) if padding == "valid" else 0)
    if not 0 <= output_padding < stride:
        raise ArgumentError(
            f"conv2d_transpose: output_padding must be less than the stride {stride}; it is {output_padding}"
        )
    cut = taps // 2 if padding == "same" else 0
    return (size - 1) * stride + taps - 2 * cut + output_padding


def _window_and_output(
    x_shape: tuple, w_shape: tuple, strides: int | Pair, padding: str, output_padding: int | Pair | None
) -> tuple[Window, tuple[int, ...]]:
    """The Window of the conv2d that turns y into x, and y's shape."""
    if len(x_shape) != 4 or len(w_shape) != 4 or x_shape[3] != w_shape[3]:
        raise ShapeError(f"conv2d_transpose: x must be (N,H,W,C) and w (KH,KW,F,C); they are {x_shape} and {w_shape}")
    if not all(w_shape):
        raise ShapeError(f"conv2d_transpose: w must have taps, filters and channels; its shape is {w_shape}")
    steps = pair(strides, "strides")
    extra = (None, None) if output_padding is None else pair(output_padding, "output_padding", least=0)
    sizes, sides = [], []
    for size, taps, stride, more in zip(x_shape[1:3], w_shape[:2], steps, extra):
        outputs = output_size(size, taps, stride, padding, more)
        if size < 1 or outputs < 1:
            raise ShapeError(f"conv2d_transpose: x {x_shape} and w {w_shape} with padding={padding!r} leave no output")
        total = max((size - 1) * stride + taps - outputs, 0)
        sizes.append(outputs)
        sides.append((total // 2, total - total // 2))
    window = Window(steps, (sides[0], sides[1]), (1, 1))
    return window, (x_shape[0], *sizes, w_shape[2])


def _check_gradient(dy: np.ndarray, shape: tuple[int, ...]) -> None:
    if dy.shape != shape:
        raise ShapeError(f"conv2d_transpose: dy must have the output's shape {shape}, it has {dy.shape}")
