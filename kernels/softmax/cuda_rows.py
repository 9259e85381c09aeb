"""softmax on a GPU, v2_warps to v4_online: what cuda_rows.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous
from .._gpu.rows import Launch, a_block_each, a_warp_each, by_length, rows_of

FILE = CudaFile("softmax/cuda_rows.cu")
LAUNCHES = {"v2_warps": a_warp_each, "v3_blocks": a_block_each}


def _forward(kernel: str, launch: Launch, x: Any, log: bool, y: Any) -> Any:
    FILE.launch(y, kernel, *launch, contiguous(x), y, np.int32(log), *rows_of(x))
    return y


def _backward(launch: Launch, y: Any, dy: Any, log: bool, dx: Any) -> Any:
    arrays = contiguous(y), contiguous(dy), dx
    FILE.launch(dx, "softmax_backward_rows", *launch, *arrays, np.int32(log), *rows_of(y))
    return dx


def softmax_forward_v2_warps(x: Any, log: bool, y: Any) -> Any:
    """y = softmax(x) or log softmax(x)"""
    return _forward("softmax_forward_rows", a_warp_each(x), x, log, y)


def softmax_backward_v2_warps(y: Any, dy: Any, log: bool, dx: Any) -> Any:
    """dx = y (dy - sum of dy y), or dy - exp(y) sum of dy"""
    return _backward(a_warp_each(y), y, dy, log, dx)


def softmax_forward_v3_blocks(x: Any, log: bool, y: Any) -> Any:
    """y = softmax(x) or log softmax(x)"""
    return _forward("softmax_forward_rows", a_block_each(x), x, log, y)


def softmax_backward_v3_blocks(y: Any, dy: Any, log: bool, dx: Any) -> Any:
    """dx = y (dy - sum of dy y), or dy - exp(y) sum of dy"""
    return _backward(a_block_each(y), y, dy, log, dx)


def softmax_forward_v4_online(x: Any, log: bool, y: Any) -> Any:
    """y = softmax(x) or log softmax(x)"""
    return _forward("softmax_forward_v4_online", LAUNCHES[by_length(x)](x), x, log, y)
