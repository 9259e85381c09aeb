"""conv2d as one matrix product that nobody writes down: what cuda_blocked.cu is launched with."""

from typing import Any

import numpy as np

from .._epilogue import Epilogue
from .._gpu.blocks import VARIANTS, blocking, vector
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Window
from ._cuda_sizes import cuda_sizes
from .cuda_chunks import in_chunks

FILE = CudaFile("conv2d/cuda_blocked.cu", variants=VARIANTS)


def conv2d_forward_v4_blocked(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(windows @ w + bias + residual), windows gathered block by block"""
    x, w, groups = contiguous(x), contiguous(w), window.groups
    pixels, filters, depth = y.size // y.shape[3], y.shape[3] // groups, w[..., 0].size
    width = vector((w.shape[2], filters), x, w, epilogue.bias, epilogue.residual, y)
    plan = blocking(pixels, filters, depth, groups, width)
    numbers = np.int64(pixels), *ints(plan.steps), *cuda_sizes(x.shape, w.shape, y.shape, window)

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        grid = groups * plan.blocks(pixels, filters), plan.chunks(depth)
        arguments = x, w, bias, residual, to, low, high, *numbers
        FILE.launch(y, "conv2d_forward_v4_blocked", grid, plan.threads, *arguments, variant=plan.variant)

    return in_chunks(launch, plan.chunks(depth), epilogue, y)
