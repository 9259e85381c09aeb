"""layernorm on a GPU, v2_warps and v3_blocks: what cuda_rows.cu and cuda_chunks.cu are launched with."""

from typing import Any

import numpy as np

from .._gpu.chunks import arguments, cut, partial_results, total_launch
from .._gpu.file import CudaFile, contiguous, ints
from .._gpu.lanes import VARIANTS, aligned, lanes
from .._gpu.rows import Launch, a_block_each, a_warp_each, rows_of
from ..channel_sum.cuda_chunks import LEAST

FILE = CudaFile("layernorm/cuda_rows.cu")
SUMS = CudaFile("layernorm/cuda_chunks.cu", variants=VARIANTS)


def _forward(
    launch: Launch, x: Any, gamma: Any, beta: Any, epsilon: float, y: Any, mean: Any, inverse_std: Any
) -> tuple[Any, Any, Any]:
    """(y, mean, inverse_std)"""
    taken = (*map(contiguous, (x, gamma, beta)), np.float64(epsilon), y, mean, inverse_std)
    FILE.launch(y, "layernorm_forward_rows", *launch, *taken, *rows_of(x))
    return y, mean, inverse_std


def _backward(
    launch: Launch, x: Any, dy: Any, gamma: Any, mean: Any, inverse_std: Any, dx: Any, dgamma: Any, dbeta: Any
) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta)"""
    x, dy, gamma, mean, inverse_std = map(aligned, (x, dy, gamma, mean, inverse_std))
    FILE.launch(dx, "layernorm_dx_rows", *launch, x, dy, gamma, mean, inverse_std, dx, *rows_of(x))
    parts = cut(x, lanes(x.shape[-1]), LEAST)
    sums = partial_results(x, parts, 2)
    taken = (x, dy, mean, inverse_std, *sums, *arguments(x, parts))
    SUMS.launch(dx, "layernorm_gradient_chunks", *parts.launch, *taken, variant=parts.variant)
    made = (*sums, dgamma, dbeta, *ints(*sums.shape[1:]))
    SUMS.launch(dx, "layernorm_gradient_totals", *total_launch(sums), *made, variant=parts.variant)
    return dx, dgamma, dbeta


def layernorm_forward_v2_warps(x: Any, *others: Any) -> tuple[Any, Any, Any]:
    """(y, mean, inverse_std)"""
    return _forward(a_warp_each(x), x, *others)


def layernorm_backward_v2_warps(x: Any, *others: Any) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta)"""
    return _backward(a_warp_each(x), x, *others)


def layernorm_forward_v3_blocks(x: Any, *others: Any) -> tuple[Any, Any, Any]:
    """(y, mean, inverse_std)"""
    return _forward(a_block_each(x), x, *others)


def layernorm_backward_v3_blocks(x: Any, *others: Any) -> tuple[Any, Any, Any]:
    """(dx, dgamma, dbeta)"""
    return _backward(a_block_each(x), x, *others)
