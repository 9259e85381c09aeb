"""The weight gradient of conv2d as one matrix product in chunks: what cuda_weights_blocked.cu is launched with."""

from typing import Any

from .._gpu.blocks import MULTIPROCESSORS, STEP, VARIANTS, Blocking, blocking, vector
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Window, ceil_div
from ._cuda_sizes import cuda_sizes
from .cuda_weights import add_chunks

FILE = CudaFile("conv2d/cuda_weights_blocked.cu", variants=VARIANTS)
BLOCKS = 8 * MULTIPROCESSORS  # so many that it costs little when the last of them do not fill a GPU
LEAST_PIXELS = 256  # of a chunk: fewer are added faster than their sums are written
PIECE = 128  # steps after which a block puts its sums aside


def conv2d_backward_weights_v4_blocked(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = windows transposed @ dy, chunk by chunk of the pixels"""
    x, dy, groups = contiguous(x), contiguous(dy), window.groups
    channels, filters = dw.shape[2], dw.shape[3] // groups
    depth, pixels = dw[..., 0].size, dy[..., 0].size
    plan = weight_blocking(depth, filters, pixels, groups, vector((channels, filters), x, dy, dw))
    numbers = *ints(pixels, plan.steps * STEP, PIECE), *cuda_sizes(x.shape, dw.shape, dy.shape, window)

    def launch(parts: Any) -> None:
        grid, arguments = (groups * plan.blocks(depth, filters), plan.chunks(pixels)), (x, dy, parts, *numbers)
        FILE.launch(dw, "conv2d_backward_weights_v4_blocked", grid, plan.threads, *arguments, variant=plan.variant)

    return add_chunks(launch, plan.chunks(pixels), dw)


def weight_blocking(depth: int, filters: int, pixels: int, groups: int, width: int) -> Blocking:
    """Tiles of dw, and chunks of the pixels that give enough blocks: a function of the shapes alone."""
    most = ceil_div(pixels, LEAST_PIXELS)
    tiles = blocking(depth, filters, pixels, groups * most, width, split=False)
    chunks = min(ceil_div(BLOCKS, groups * tiles.blocks(depth, filters)), max(1, most))
    return tiles._replace(steps=max(1, ceil_div(ceil_div(pixels, STEP), chunks)))
