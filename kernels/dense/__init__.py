"""dense: the contract.

    y = activation(x @ w + bias + residual)

x (…,I), w (I,O), bias (O,), residual and y (…,O), any number of leading axes; one float dtype for all.
`reference.py` says what a dense layer computes.  For prediction, `prepare` stores w in fewer bits
(_storage.py).
"""

import math

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .._arrays import output_array, same_dtype
from .._device import device
from .._epilogue import Epilogue
from .._registry import Operation
from .._where import device_of
from ._storage import STORAGES, Stored, restored, store

__all__ = ["STORAGES", "Stored", "backward_input", "backward_weights", "forward", "prepare", "restored", "store"]
ALL = ("forward", "backward_input", "backward_weights")
STREAMED_ROWS = {"forward": 8, "backward_input": 32, "backward_weights": 32}  # up to here v3_stream is the fastest
STREAMED_ON_CUDA = 16  # rows of a block of v3_stream: w is read once up to here (not timed)
LEAST_INPUTS = 16  # rows of w that v3_stream can walk along backwards, on any CPU


def _default(direction: str, *arguments) -> str:
    if direction == "forward" and isinstance(arguments[1], Stored):
        return "v3_stream"
    rows, inputs = arguments[0].shape[0], arguments[2 if direction == "backward_weights" else 1].shape[0]
    streamed = rows <= STREAMED_ROWS[direction] and (direction == "forward" or inputs >= LEAST_INPUTS)
    return "v3_stream" if streamed else "v4_tiled"


def _on_cuda(direction: str, *arguments) -> str:
    return "v3_stream" if arguments[0].shape[0] <= STREAMED_ON_CUDA else "v4_tiled"


OPERATION = Operation("dense", __name__, _default, on_cuda=_on_cuda)
OPERATION.rung("reference", "reference", ALL, "the definition: three nested loops")
OPERATION.rung("v1_direct", "cpu_direct", ALL, "the same loops, compiled")
OPERATION.rung("v2_blas", "blas", ALL, "one BLAS product; its bits may depend on the number of BLAS' own threads")
STREAMED = "weights read once, in order: for a few rows of x, and for stored weights"
OPERATION.rung("v3_stream", "cpu_stream", ALL, STREAMED, replays=True)
OPERATION.rung("v4_tiled", "cpu_tiled", ALL, "slices copied into cache, sums held in vector registers", replays=True)
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every number", device="cuda")
OPERATION.rung("v2_blas", "cuda_blas", ALL, "cuBLAS: the vendor's product", device="cuda")
ONCE = "every number of w read once, 16 bytes an access, for a few rows of x"
OPERATION.rung("v3_stream", "cuda_stream", ALL[:2], ONCE, device="cuda")
WRITTEN = "eight rows of four columns of dw for every thread, written once"
OPERATION.rung("v3_stream", "cuda_stream", ("backward_weights",), WRITTEN, device="cuda")
SHARED = "slices copied into shared memory, 8 x 8 sums of a thread in registers; the depth is split where sums are few"
OPERATION.rung("v4_tiled", "cuda_tiled", ALL, SHARED, device="cuda")
for name, rounding in {"v5_tensor_tf32": "TF32", "v6_tensor_bf16": "bfloat16", "v7_tensor_half": "half"}.items():
    note = f"the tiled product on tensor cores, of numbers rounded to {rounding}; only where it is asked for"
    OPERATION.rung(name, "cuda_tensor", ALL, note, device="cuda")


def prepare(w: np.ndarray, storage: str) -> np.ndarray | Stored:
    """w (I,O) stored in one of STORAGES, for the rung that runs by default.

    Rungs in NumPy would restore stored weights in every call, and those for a GPU read float32: where one of them runs,
    they are restored here, once, and results are those of stored weights without their speed.

    Raises
    ------
    ArgumentError
    """
    where = device_of(w)
    if where != "cpu":
        there = device(where)
        return w if storage == "float32" else there.from_host(restored(store(there.to_host(w), storage), w.dtype))
    stored = store(w, storage)
    x, y = (np.empty((0, size), w.dtype) for size in w.shape)
    spec = OPERATION.select("forward", w, (x, stored, Epilogue(), y), None)
    return stored if spec.needs_numba else restored(stored, w.dtype)


def forward(
    x: np.ndarray,
    w: np.ndarray | Stored,
    bias: np.ndarray | None = None,
    *,
    activation: str | None = None,
    residual: np.ndarray | None = None,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """y = activation(x @ w + bias + residual), y (…,O).

    Parameters
    ----------
    x : (…,I)
    w : (I,O), or what `store` or `prepare` made of it
    out : array for y, apart from the inputs; made when None

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.dense.forward(np.ones((2, 3)), np.ones((3, 4)), np.arange(4.0))
    array([[3., 4., 5., 6.],
           [3., 4., 5., 6.]])
    """
    numbers = w.data if isinstance(w, Stored) else w
    same_dtype("dense", x=x, w=None if isinstance(w, Stored) else w, bias=bias, residual=residual)
    shape = _output_shape(x.shape, w.shape)
    Epilogue(bias, activation, residual).check(w.shape[1], shape, "dense")
    y = output_array(out, shape, x, "dense", x, numbers, bias, residual)
    epilogue = Epilogue(bias, activation, None if residual is None else _rows(residual))
    OPERATION.run("forward", x, _rows(x), w, epilogue, _rows(y), rung=rung)
    return y


def backward_input(
    dy: np.ndarray, w: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """dx (…,I) = dy @ w transposed: the gradient of sum(y * dy) for x; dy (…,O)."""
    if isinstance(w, Stored):
        raise ArgumentError("dense: gradients are made with weights as they are, not with stored ones")
    same_dtype("dense", dy=dy, w=w)
    shape = _output_shape(dy.shape, w.shape[::-1], "dy")
    dx = output_array(out, shape, dy, "dense", dy, w)
    OPERATION.run("backward_input", dy, _rows(dy), w, _rows(dx), rung=rung)
    return dx


def backward_weights(
    x: np.ndarray, dy: np.ndarray, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """dw (I,O) = x transposed @ dy, over all leading axes: the gradient of sum(y * dy) for w."""
    same_dtype("dense", x=x, dy=dy)
    if x.shape[:-1] != dy.shape[:-1] or not x.ndim:
        raise ShapeError(f"dense: x (…,I) and dy (…,O) must have the same leading axes; they are {x.shape}, {dy.shape}")
    dw = output_array(out, (x.shape[-1], dy.shape[-1]), x, "dense", x, dy)
    return OPERATION.run("backward_weights", x, _rows(x), _rows(dy), dw, rung=rung)


def _output_shape(x_shape: tuple[int, ...], w_shape: tuple[int, ...], name: str = "x") -> tuple[int, ...]:
    """(…,O) for x (…,I) and w (I,O)."""
    if len(w_shape) != 2 or not x_shape or x_shape[-1] != w_shape[0]:
        raise ShapeError(f"dense: {name} {x_shape} does not fit: w takes {w_shape[0]} numbers in the last axis")
    return (*x_shape[:-1], w_shape[1])


def _rows(array: np.ndarray) -> np.ndarray:
    """All leading axes as one."""
    return array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
