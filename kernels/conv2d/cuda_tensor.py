"""conv2d on tensor cores: what cuda_tensor.cu and cuda_tensor_16.cu are launched with."""

from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import UnsupportedError

from .._device import device
from .._epilogue import Epilogue
from .._gpu.blocks import best_tile, chunk_steps, vector
from .._gpu.file import CudaFile, Macros, contiguous, ints
from .._shapes import Window, ceil_div
from .._where import device_of
from ._cuda_sizes import cuda_sizes
from .cuda_chunks import in_chunks

AMPERE = (8, 0)
STEP, THREADS, STAGES = 16, 128, 4  # BLOCK_K, as in tensor_tile.cuh and cuda_tensor.cu
TILES = {(128, 128): 1.0, (64, 64): 1.4}  # by the work that a sum takes
BUILDS = tuple((f"BLOCK={side}", f"VECTOR={width}") for side, _ in TILES for width in (4, 1))
TF32 = CudaFile("conv2d/cuda_tensor.cu", target=80, variants=BUILDS)
ROUNDED = tuple((*build, rounding) for rounding in ("BFLOAT16", "HALF") for build in BUILDS)
SIXTEEN = CudaFile("conv2d/cuda_tensor_16.cu", target=80, variants=ROUNDED)


class Plan(NamedTuple):
    """Blocks of `side` x `side` sums, numbers that are read at once, and steps of STEP columns in a chunk."""

    side: int
    vector: int
    steps: int

    @property
    def variant(self) -> Macros:
        return f"BLOCK={self.side}", f"VECTOR={self.vector}"

    @property
    def stage_bytes(self) -> int:
        """Shared memory of all stages of cuda_tensor.cu."""
        return STAGES * 4 * (self.side * (STEP + 4) + STEP * (self.side + 8))


def tensor_plan(pixels: int, filters: int, depth: int, groups: int, width: int) -> Plan:
    """That of the product (pixels, depth) (depth, filters) of each group: a function of the shapes alone."""
    (side, _), blocks = best_tile(pixels, filters, groups, TILES, ((64, 64),))
    return Plan(side, width, chunk_steps(ceil_div(depth, STEP), blocks))


def check_tensor_cores(array: Any) -> None:
    """Raise UnsupportedError where the array's device has none that the rungs are for."""
    if device(device_of(array)).capability < AMPERE:
        raise UnsupportedError("conv2d: the rungs on tensor cores need a GPU of compute capability 8.0 or more")


def _forward(
    file: CudaFile, kernel: str, rounding: Macros, x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any
) -> Any:
    check_tensor_cores(y)
    x, w, groups = contiguous(x), contiguous(w), window.groups
    pixels, channels, filters = y.size // y.shape[3], w.shape[2], y.shape[3] // groups
    depth = w[..., 0].size
    width = vector((channels, filters), x, w, epilogue.bias, epilogue.residual, y)
    plan = tensor_plan(pixels, filters, depth, groups, width)
    taps_first = width == 4 and channels % STEP == 0
    numbers = np.int64(pixels), *ints(plan.steps, taps_first), *cuda_sizes(x.shape, w.shape, y.shape, window)
    chunks, shared = ceil_div(depth, plan.steps * STEP), 0 if rounding else plan.stage_bytes
    grid = groups * ceil_div(pixels, plan.side) * ceil_div(filters, plan.side), chunks

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        arguments = x, w, bias, residual, to, low, high, *numbers
        variant = (*plan.variant, *rounding)
        file.launch(y, kernel, grid, THREADS, *arguments, shared_bytes=shared, variant=variant)

    return in_chunks(launch, chunks, epilogue, y)


def conv2d_forward_v7_tensor_tf32(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(windows @ w + bias + residual), windows and w rounded to TF32"""
    return _forward(TF32, "conv2d_forward_v7_tensor_tf32", (), x, w, window, epilogue, y)


def conv2d_forward_v8_tensor_bf16(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(windows @ w + bias + residual), windows and w rounded to bfloat16"""
    return _forward(SIXTEEN, "conv2d_forward_tensor_16", ("BFLOAT16",), x, w, window, epilogue, y)


def conv2d_forward_v9_tensor_half(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(windows @ w + bias + residual), windows and w rounded to half"""
    return _forward(SIXTEEN, "conv2d_forward_tensor_16", ("HALF",), x, w, window, epilogue, y)
