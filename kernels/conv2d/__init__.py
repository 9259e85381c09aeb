"""conv2d: the contract.

    y = activation(conv(x, w) + bias + residual)

x (N,H,W,C), w (KH,KW,C/groups,F), bias (F,), residual and y (N,OH,OW,F); one float dtype for all.  NHWC and HWIO are
Keras' own layouts.  `reference.py` says what a convolution is; LADDER.md shows what each rung above it gains.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .._arrays import output_array, same_dtype
from .._autotune import autotune_wanted, described, fastest
from .._epilogue import Epilogue
from .._precision import rounds
from .._registry import KernelSpec, Operation, forced_rung, specs
from .._shapes import Padding, Pair, Window, resolve_window, window_outputs
from .._where import device_of
from ._choice import BATCH, WINOGRAD, choose, choose_weights
from ._cuda_choice import TENSOR, choose_on_cuda, choose_weights_on_cuda

ALL = ("forward", "backward_input", "backward_weights")
MEASURED_BYTES = 1 << 26  # of images, at the most, by which a rung for prediction is measured


def _default(direction: str, *arguments) -> str:
    if direction == "backward_weights":
        _, dy, window, dw = arguments
        return choose_weights(dy.shape, dw.shape[:3], window)
    w, window, y = arguments[1], arguments[2], arguments[-1]
    channels = w.shape[2] if direction == "forward" else w.shape[3] // window.groups
    return choose(y.shape, (*w.shape[:2], channels), window, prepared=False)


def _on_cuda(direction: str, *arguments) -> str:
    if direction == "backward_weights":
        _, dy, window, dw = arguments
        return choose_weights_on_cuda(dy.shape, dw.shape[:3], window)
    w, window = arguments[1:3]
    if direction == "backward_input":
        return choose_on_cuda(arguments[3].shape, (*w.shape[:2], w.shape[3]), window, prepared=False)
    return choose_on_cuda(arguments[4].shape, w.shape[:3], window, prepared=False)


OPERATION = Operation("conv2d", __name__, _default, on_cuda=_on_cuda)
OPERATION.rung("reference", "reference", ALL, "the definition: seven nested loops")
OPERATION.rung("v1_direct", "cpu_direct", ALL, "the same loops, compiled")
OPERATION.rung("v2_im2col", "blas", ALL, "windows copied to the rows of a matrix, one BLAS product for all of them")
TILED = "no copies of windows: tiles of sums held in vector registers, along the rows of the padded image"
OPERATION.rung("v3_tiled", "cpu_tiled", ("forward",), TILED, replays=True)
OPERATION.rung("v3_tiled", "cpu_input", ("backward_input",), TILED)
OPERATION.rung("v3_tiled", "cpu_weights", ("backward_weights",), TILED)
BLOCKED = "windows copied block by block into cache: each panel of weights is read once for many rows"
OPERATION.rung("v4_blocked", "cpu_blocked", ("forward",), BLOCKED, replays=True)
OPERATION.rung("v4_blocked", "cpu_input", ("backward_input",), BLOCKED)
OPERATION.rung("v4_blocked", "cpu_weights_blocked", ("backward_weights",), BLOCKED)
for name, m in WINOGRAD.items():
    saved = f"{(m + 2) ** 2} products for {9 * m * m}"
    note = f"3x3 kernels meet the image at points (Winograd): {saved}, on tiles of {m} x {m} outputs"
    OPERATION.rung(name, "cpu_winograd", ("forward",), note, replays=True)
    OPERATION.rung(name, "cpu_input", ("backward_input",), note)
OPERATION.rung("v6_winograd_4", "cpu_weights_winograd", ("backward_weights",), "image and dy meet at Winograd's points")
OPERATION.rung("v1_direct", "cuda", ("forward",), "a thread for every number", device="cuda")
SHARED = "a block of threads shares a tile of the image and its weights, in shared memory"
OPERATION.rung("v3_tiled", "cuda_tiled", ("forward",), SHARED, device="cuda")
PRODUCT = "a matrix product of windows gathered to shared memory, 8 x 8 sums of a thread in registers"
OPERATION.rung("v4_blocked", "cuda_blocked", ("forward",), PRODUCT, device="cuda")
GATHER = "a thread for every number, which gathers what it gave to the windows"
OPERATION.rung("v1_direct", "cuda_input", ("backward_input",), GATHER, device="cuda")
CHUNKS = "a thread for every number of every chunk of the pixels, and the chunks added in order"
OPERATION.rung("v1_direct", "cuda_weights", ("backward_weights",), CHUNKS, device="cuda")
RESIDUES = "a matrix product for each residue of the strides, of windows of dy and the taps that reach it"
OPERATION.rung("v4_blocked", "cuda_input_blocked", ("backward_input",), RESIDUES, device="cuda")
LONG = "a matrix product along the pixels, in chunks that are added in order"
OPERATION.rung("v4_blocked", "cuda_weights_blocked", ("backward_weights",), LONG, device="cuda")
for name, m in WINOGRAD.items():
    saved = f"{(m + 2) ** 2} products for {9 * m * m}"
    note = f"3x3 kernels meet the image at points (Winograd): {saved}, a matrix product a point"
    OPERATION.rung(name, "cuda_winograd", ("forward",), note, device="cuda")
    OPERATION.rung(name, "cuda_input_winograd", ("backward_input",), note, device="cuda")
MEETING = "image and dy meet at Winograd's points, a matrix product along the tiles at each"
OPERATION.rung("v6_winograd_4", "cuda_weights_winograd", ("backward_weights",), MEETING, device="cuda")
for name, rounding in TENSOR.items():
    note = f"the blocked product on tensor cores, of numbers rounded to {rounding}; only where it is asked for"
    OPERATION.rung(name, "cuda_tensor", ("forward",), note, device="cuda")
    OPERATION.rung(name, "cuda_input_tensor", ("backward_input",), note, device="cuda")
    OPERATION.rung(name, "cuda_weights_tensor", ("backward_weights",), note, device="cuda")


class Prepared(NamedTuple):
    """A kernel w in the form that one rung reads, made once by `prepare` and used for many images.

    It does not keep w: where another rung is to run, w has to be prepared again.
    """

    shape: tuple[Any, ...]  # of w
    groups: int
    rung: str
    data: np.ndarray

    @property
    def row_step(self) -> int:
        """So many rows of the output are computed together: an image that is cut between them gives the same bits."""
        return WINOGRAD.get(self.rung, 1)

    def check(self, x: Any, rung: str | None, groups: int) -> None:
        """Raise ArgumentError where x is on another device, where a caller, or else `use`, asks for another rung, or
        for other groups.
        """
        if type(x) is not type(self.data) and device_of(x) != device_of(self.data):
            raise ArgumentError(
                f"conv2d: w was prepared on {device_of(self.data)}, not on {device_of(x)}, where x is: prepare it there"
            )
        if groups != self.groups:
            raise ArgumentError(f"conv2d: w was prepared for groups={self.groups}, not {groups}: prepare it anew")
        wanted = rung or forced_rung("conv2d") or self.rung
        if wanted != self.rung:
            raise ArgumentError(
                f"conv2d: w was prepared for rung {self.rung} and cannot run on {wanted}: prepare it anew"
            )


def prepare(
    w: np.ndarray,
    input_shape: tuple[int, ...],
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
) -> np.ndarray | Prepared:
    """w packed for the rung that runs on images of a shape; w itself where that rung reads it as it is."""
    window = check_window("conv2d", input_shape, w.shape, strides, padding, dilation, groups)
    _, height, width, _ = input_shape
    shape = (0, *window_outputs((height, width), w.shape[:2], window, "conv2d"), w.shape[3])
    y = np.empty(shape, w.dtype)
    spec, forced = OPERATION.select("forward", w, (y, w, window, Epilogue(), y), None), forced_rung("conv2d")
    if spec.device == "cuda":
        as_asked = forced == spec.rung or rounds(spec.rung)
        rung = spec.rung if as_asked else choose_on_cuda(shape, w.shape[:3], window, prepared=True)
        return _prepared_on_cuda(w, rung, groups)
    if not spec.replays:
        return w
    rung = forced
    if rung is None:
        rung = choose(shape, w.shape[:3], window, prepared=True)
        if autotune_wanted():
            rung = _fastest_prepared(rung, w, input_shape, window, shape)
    return Prepared(w.shape, groups, rung, _packed(w, rung, groups))


def _prepared_on_cuda(w: Any, rung: str, groups: int) -> Any:
    """w at Winograd's points where such a rung runs, else w itself."""
    if rung not in WINOGRAD:
        return w
    from .cuda_winograd import evaluate_kernel

    return Prepared(w.shape, groups, rung, evaluate_kernel(w, WINOGRAD[rung]))


def _packed(w: np.ndarray, rung: str, groups: int) -> np.ndarray:
    """w in the form that a rung reads."""
    if rung in WINOGRAD:
        from .cpu_winograd import evaluate_kernel

        return evaluate_kernel(w, WINOGRAD[rung])
    from ._panels import pack_panels

    return pack_panels(w, groups)


def _fastest_prepared(default: str, w: np.ndarray, x_shape: tuple, window: Window, y_shape: tuple) -> str:
    """The rung that is measured to be the fastest with a prepared kernel: the same for every number of images."""
    image = w.itemsize * (math.prod(x_shape[1:]) + math.prod(y_shape[1:]))
    images = max(1, min(BATCH, MEASURED_BYTES // image))
    x, y = np.zeros((images, *x_shape[1:]), w.dtype), np.empty((images, *y_shape[1:]), w.dtype)

    def make(spec: KernelSpec) -> Callable[[], object]:
        x[:] = 1  # zeros that nobody wrote would all lie in one page of memory
        return partial(spec.fn, x, w, window, Epilogue(), y, _packed(w, spec.rung, window.groups))

    rungs = {s.rung: partial(make, s) for s in specs() if s.op == "conv2d" and s.direction == "forward" and s.replays}
    return fastest(f"conv2d prepared {described((x, w, window))}", default, rungs)


def forward(
    x: np.ndarray,
    w: np.ndarray | Prepared,
    bias: np.ndarray | None = None,
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    activation: str | None = None,
    residual: np.ndarray | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """y = activation(conv(x, w) + bias + residual), y (N,OH,OW,F).

    Parameters
    ----------
    x : (N,H,W,C)
    w : (KH,KW,C/groups,F), or what `prepare` made of it
    padding : "valid", "same" (Keras: asymmetric where it must be), a number, two, or ((top,bottom),(left,right))
    out : array for y; made when None

    Raises
    ------
    ShapeError, DTypeError, ArgumentError, UnsupportedError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> x, w = np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 5))
    >>> kernels.conv2d.forward(x, w, padding="same")[0, 0, 0]
    array([8., 8., 8., 8., 8.])
    """
    numbers, packed = w, ()
    if isinstance(w, Prepared):
        w.check(x, rung, groups)
        rung, numbers, packed = w.rung, w.data, (w.data,)
    same_dtype("conv2d", x=x, w=numbers, bias=bias, residual=residual)
    window = check_window("conv2d", x.shape, w.shape, strides, padding, dilation, groups)
    shape = (x.shape[0], *window_outputs(x.shape[1:3], w.shape[:2], window, "conv2d"), w.shape[3])
    epilogue = Epilogue(bias, activation, residual)
    epilogue.check(w.shape[3], shape, "conv2d")
    y = output_array(out, shape, x, "conv2d", x, numbers, bias, residual)
    return OPERATION.run("forward", x, x, w, window, epilogue, y, *packed, rung=rung)


def backward_input(
    dy: np.ndarray,
    w: np.ndarray,
    input_shape: tuple[int, ...],
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dx (N,H,W,C) = the gradient of sum(y * dy) for x; dy (N,OH,OW,F)."""
    same_dtype("conv2d", dy=dy, w=w)
    window = check_window("conv2d", input_shape, w.shape, strides, padding, dilation, groups)
    check_gradient("conv2d", dy, input_shape, w.shape, window)
    dx = output_array(out, input_shape, dy, "conv2d", dy, w)
    return OPERATION.run("backward_input", dy, dy, w, window, dx, rung=rung)


def backward_weights(
    x: np.ndarray,
    dy: np.ndarray,
    kernel_shape: tuple[int, ...],
    *,
    strides: int | Pair = 1,
    padding: Padding = "valid",
    dilation: int | Pair = 1,
    groups: int = 1,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """dw (KH,KW,C/groups,F) = the gradient of sum(y * dy) for w."""
    same_dtype("conv2d", x=x, dy=dy)
    window = check_window("conv2d", x.shape, kernel_shape, strides, padding, dilation, groups)
    check_gradient("conv2d", dy, x.shape, kernel_shape, window)
    dw = output_array(out, kernel_shape, x, "conv2d", x, dy)
    return OPERATION.run("backward_weights", x, x, dy, window, dw, rung=rung)


def check_window(
    op: str,
    x_shape: tuple,
    w_shape: tuple,
    strides: int | Pair,
    padding: Padding,
    dilation: int | Pair,
    groups: int,
) -> Window:
    """The Window of a convolution whose shapes fit together."""
    if len(x_shape) != 4 or len(w_shape) != 4:
        raise ShapeError(f"{op}: x must be (N,H,W,C) and w (KH,KW,C,F); they are {x_shape} and {w_shape}")
    if not all(w_shape):
        raise ShapeError(f"{op}: w must have taps, channels and filters; its shape is {w_shape}")
    window = resolve_window(x_shape[1:3], w_shape[:2], strides, padding, dilation, groups)
    if x_shape[3] != w_shape[2] * groups or w_shape[3] % groups:
        raise ShapeError(
            f"{op}: x {x_shape} has {x_shape[3]} channels, w {w_shape} with groups={groups} takes "
            f"{w_shape[2] * groups} and gives {w_shape[3]}"
        )
    return window


def check_gradient(op: str, dy: np.ndarray, x_shape: tuple, w_shape: tuple, window: Window) -> None:
    """Raise ShapeError unless dy has the shape of the convolution's output."""
    shape = (x_shape[0], *window_outputs(x_shape[1:3], w_shape[:2], window, op), w_shape[3])
    if dy.shape != shape:
        raise ShapeError(f"{op}: dy must have the output's shape {shape}, it has {dy.shape}")
