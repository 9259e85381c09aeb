"""conv2d on tensor cores: what cuda_tensor.cu and cuda_tensor_16.cu are launched with."""

from typing import Any

import numpy as np

from .._epilogue import Epilogue
from .._gpu.blocks import vector
from .._gpu.file import CudaFile, Macros, contiguous, ints
from .._gpu.tensor_cores import BUILDS, SIXTEEN_BITS, STAGES, STEP, THREADS, Plan, check_tensor_cores, tensor_plan
from .._shapes import Window
from ._cuda_sizes import cuda_sizes
from .cuda_chunks import in_chunks

TF32 = CudaFile("conv2d/cuda_tensor.cu", target=80, variants=BUILDS)
SIXTEEN = CudaFile("conv2d/cuda_tensor_16.cu", target=80, variants=SIXTEEN_BITS)


def _stage_bytes(plan: Plan) -> int:
    """Shared memory of all stages of cuda_tensor.cu."""
    return STAGES * 4 * (plan.side * (STEP + 4) + STEP * (plan.side + 8))


def _forward(
    file: CudaFile, kernel: str, rounding: Macros, x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any
) -> Any:
    check_tensor_cores("conv2d", y)
    x, w, groups = contiguous(x), contiguous(w), window.groups
    pixels, channels, filters = y.size // y.shape[3], w.shape[2], y.shape[3] // groups
    depth = w[..., 0].size
    width = vector((channels, filters), x, w, epilogue.bias, epilogue.residual, y)
    plan = tensor_plan(pixels, filters, depth, groups, width)
    taps_first = width == 4 and channels % STEP == 0
    numbers = np.int64(pixels), *ints(plan.steps, taps_first), *cuda_sizes(x.shape, w.shape, y.shape, window)
    grid = groups * plan.blocks(pixels, filters), plan.chunks(depth)
    shared = 0 if rounding else _stage_bytes(plan)

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        arguments = x, w, bias, residual, to, low, high, *numbers
        variant = (*plan.variant, *rounding)
        file.launch(y, kernel, grid, THREADS, *arguments, shared_bytes=shared, variant=variant)

    return in_chunks(launch, plan.chunks(depth), epilogue, y)


def conv2d_forward_v7_tensor_tf32(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(windows @ w + bias + residual), windows and w rounded to TF32"""
    return _forward(TF32, "conv2d_forward_v7_tensor_tf32", (), x, w, window, epilogue, y)


def conv2d_forward_v8_tensor_bf16(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(windows @ w + bias + residual), windows and w rounded to bfloat16"""
    return _forward(SIXTEEN, "conv2d_forward_tensor_16", ("BFLOAT16",), x, w, window, epilogue, y)


def conv2d_forward_v9_tensor_half(x: Any, w: Any, window: Window, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(windows @ w + bias + residual), windows and w rounded to half"""
    return _forward(SIXTEEN, "conv2d_forward_tensor_16", ("HALF",), x, w, window, epilogue, y)
