"""v4_tiled on a GPU: what cuda_tiled.cu is launched with."""

from typing import Any

import numpy as np

from .._epilogue import PLAIN, Epilogue
from .._gpu.blocks import VARIANTS, blocking, vector
from .._gpu.file import CudaFile, contiguous, ints
from ..conv2d.cuda_chunks import in_chunks
from .cuda import weights_of

FILE = CudaFile("dense/cuda_tiled.cu", variants=VARIANTS)


def _product(kernel: str, a: Any, b: Any, sizes: tuple[int, int, int], depth: int, c: Any, epilogue: Epilogue) -> Any:
    """c = activation(a @ b + bias + residual), a or b turned as the kernel does; `sizes` are (R, I, O)."""
    width = vector(sizes[1:], a, b, epilogue.bias, epilogue.residual, c)
    rows, columns = c.shape
    plan = blocking(rows, columns, max(1, depth), 1, width)
    chunks = plan.chunks(max(1, depth))

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        grid, numbers = (plan.blocks(rows, columns), chunks), (low, high, *ints(*sizes, plan.steps))
        FILE.launch(c, kernel, grid, plan.threads, a, b, bias, residual, to, *numbers, variant=plan.variant)

    return in_chunks(launch, chunks, epilogue, c)


def dense_forward_v4_tiled(x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x @ w + bias + residual)"""
    x, w = contiguous(x), weights_of(w)
    return _product("dense_forward_v4_tiled", x, w, (len(x), *w.shape), len(w), y, epilogue)


def dense_backward_input_v4_tiled(dy: Any, w: Any, dx: Any) -> Any:
    """dx = dy @ w transposed"""
    dy, w = contiguous(dy), weights_of(w)
    return _product("dense_backward_input_v4_tiled", dy, w, (len(dy), *w.shape), w.shape[1], dx, PLAIN)


def dense_backward_weights_v4_tiled(x: Any, dy: Any, dw: Any) -> Any:
    """dw = x transposed @ dy"""
    x, dy = contiguous(x), contiguous(dy)
    return _product("dense_backward_weights_v4_tiled", x, dy, (len(x), *dw.shape), len(x), dw, PLAIN)
