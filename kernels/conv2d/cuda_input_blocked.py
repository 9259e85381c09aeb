"""The input gradient of conv2d as matrix products: what cuda_input_blocked.cu is launched with."""

import math
from typing import Any

import numpy as np

from .._epilogue import PLAIN, Epilogue
from .._gpu.blocks import VARIANTS, blocking, vector
from .._gpu.file import CudaFile, contiguous, ints
from .._shapes import Window, ceil_div
from ._cuda_sizes import cuda_sizes
from .cuda_chunks import in_chunks

FILE = CudaFile("conv2d/cuda_input_blocked.cu", variants=VARIANTS)


def conv2d_backward_input_v4_blocked(dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue = PLAIN) -> Any:
    """dx = windows of dy @ w, for each residue of the strides, finished by the epilogue"""
    dy, w = contiguous(dy), contiguous(w)
    channels, filters = w.shape[2], w.shape[3] // window.groups
    pixels, depth, products = residue_sizes(w.shape, dx.shape, window)
    width = vector((channels, filters), dy, w, epilogue.bias, epilogue.residual, dx)
    plan = blocking(pixels, channels, depth, products, width)
    sizes = cuda_sizes(dx.shape, w.shape, dy.shape, window)

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        grid = products * plan.blocks(pixels, channels), plan.chunks(depth)
        arguments = dy, w, bias, residual, to, low, high, np.int64(dx.size), *ints(dx.shape[0], plan.steps), *sizes
        FILE.launch(dx, "conv2d_backward_input_v4_blocked", grid, plan.threads, *arguments, variant=plan.variant)

    return in_chunks(launch, plan.chunks(depth), epilogue, dx)


def residue_sizes(w_shape: tuple[int, ...], dx_shape: tuple[int, ...], window: Window) -> tuple[int, int, int]:
    """(pixels, depth) of the largest of the products, and their number: those of each group and residue."""
    pixels, depth = dx_shape[0], w_shape[3] // window.groups
    for size, taps, step, gap in zip(dx_shape[1:3], w_shape, window.strides, window.dilation):
        pixels *= ceil_div(size, step)
        depth *= ceil_div(taps, step // math.gcd(step, gap))  # the taps that reach a pixel are as many apart
    return pixels, depth, window.groups * math.prod(window.strides)
