"""v3_stream on a GPU: what cuda_stream.cu is launched with."""

from typing import Any

import numpy as np

from .._epilogue import Epilogue
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import ceil_div
from ..conv2d.cuda_chunks import in_chunks
from .cuda import weights_of

ROWS = (1, 4, 16)  # of x or dy that a block takes, a build for each
FILE = CudaFile("dense/cuda_stream.cu", variants=tuple((f"ROWS={rows}",) for rows in ROWS))
THREADS, WIDTH = 256, 128  # of a block of the forward product, and its columns of w
HEIGHT, STRIP, WARPS = 4, 8, 4  # rows of w for a warp, rows of dw for a thread, warps of a block of the input gradient
BLOCKS = 1024  # of the forward product, more or less: several for each multiprocessor of a large GPU
LEAST_INPUTS = 64  # of a chunk: fewer are added faster than their sums are written


def _rows_of_block(rows: int) -> int:
    return next((most for most in ROWS if rows <= most), ROWS[-1])


def chunk_of(inputs: int, outputs: int) -> int:
    """Rows of w (I,O) that are summed together: a function of its shape, so that rows of x have the same bits alone."""
    chunks = min(ceil_div(BLOCKS, ceil_div(max(1, outputs), WIDTH)), ceil_div(inputs, LEAST_INPUTS))
    return ceil_div(inputs, max(1, chunks))


def dense_forward_v3_stream(x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x @ w + bias + residual), a chunk of w for every block"""
    x, w = contiguous(x), weights_of(w)
    (rows, inputs), outputs = x.shape, w.shape[1]
    several, chunk = _rows_of_block(rows), chunk_of(inputs, outputs)
    chunks = max(1, ceil_div(inputs, max(1, chunk)))

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        grid = ceil_div(outputs, WIDTH) * ceil_div(rows, several), chunks
        arguments = x, w, bias, residual, to, low, high, *ints(rows, inputs, outputs, chunk)
        FILE.launch(y, "dense_forward_v3_stream", grid, THREADS, *arguments, variant=(f"ROWS={several}",))

    return in_chunks(launch, chunks, epilogue, y)


def dense_backward_input_v3_stream(dy: Any, w: Any, dx: Any) -> Any:
    """dx = dy @ w transposed, HEIGHT rows of w for every warp"""
    (rows, outputs), inputs = dy.shape, len(w)
    several = _rows_of_block(rows)
    grid = ceil_div(inputs, WARPS * HEIGHT) * ceil_div(rows, several)
    arguments = contiguous(dy), weights_of(w), dx, *ints(rows, inputs, outputs)
    FILE.launch(dx, "dense_backward_input_v3_stream", grid, 32 * WARPS, *arguments, variant=(f"ROWS={several}",))
    return dx


def dense_backward_weights_v3_stream(x: Any, dy: Any, dw: Any) -> Any:
    """dw = x transposed @ dy, written once"""
    inputs, outputs = dw.shape
    grid = ceil_div(inputs, STRIP), ceil_div(outputs, 4 * 32 * WARPS)
    arguments = contiguous(x), contiguous(dy), dw, *ints(len(x), inputs, outputs)
    FILE.launch(dw, "dense_backward_weights_v3_stream", grid, 32 * WARPS, *arguments, variant=(f"ROWS={ROWS[0]}",))
    return dw
