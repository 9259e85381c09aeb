"""channel_sum on a GPU, v3_chunks and v4_vector: what cuda_chunks.cu is launched with."""

from typing import Any

from .._gpu.chunks import Cut, arguments, cut, partial_results, total_launch
from .._gpu.file import CudaFile, ints
from .._gpu.lanes import VARIANTS, aligned, lanes

FILE = CudaFile("channel_sum/cuda_chunks.cu", variants=VARIANTS)
LEAST = 4  # rows of a thread: fewer are added faster than their sums are written


def chunk_sums(x: Any, wide: int) -> tuple[Cut, Any]:
    """How an array on 16 bytes is cut, and the sums of its chunks (1,n,C)."""
    parts = cut(x, wide, LEAST)
    sums = partial_results(x, parts)
    FILE.launch(x, "channel_sum_chunks", *parts.launch, x, sums, *arguments(x, parts), variant=parts.variant)
    return parts, sums


def _add(x: Any, y: Any, wide: int) -> Any:
    """y[c] = the sum of the chunks' sums"""
    parts, sums = chunk_sums(aligned(x), wide)
    FILE.launch(y, "channel_sum_total", *total_launch(sums), sums, y, *ints(*sums.shape[1:]), variant=parts.variant)
    return y


def channel_sum_forward_v3_chunks(x: Any, y: Any) -> Any:
    """y[c] = sum over r of x[r,c]"""
    return _add(x, y, 1)


def channel_sum_forward_v4_vector(x: Any, y: Any) -> Any:
    """y[c] = sum over r of x[r,c]"""
    return _add(x, y, lanes(x.shape[-1]))
