"""The weight gradient of conv2d on tensor cores: what cuda_weights_tensor.cu is launched with."""

from typing import Any

from .._gpu.blocks import vector
from .._gpu.file import CudaFile, contiguous, ints
from .._gpu.tensor_cores import STEP, THREADS, Plan, check_tensor_cores
from .._shapes import Window, ceil_div
from ._cuda_sizes import cuda_sizes
from .cuda_input_tensor import VARIANTS, gradient_plan
from .cuda_weights import add_chunks
from .cuda_weights_blocked import BLOCKS, LEAST_PIXELS

FILE = CudaFile("conv2d/cuda_weights_tensor.cu", target=80, variants=VARIANTS)


def weight_plan(depth: int, filters: int, pixels: int, groups: int, width: int) -> Plan:
    """Tiles of dw, and chunks of the pixels that give enough blocks: a function of the shapes alone."""
    most = max(1, ceil_div(pixels, LEAST_PIXELS))
    plan = gradient_plan(depth, filters, pixels, groups * most, width)
    chunks = min(ceil_div(BLOCKS, groups * plan.blocks(depth, filters)), most)
    return plan._replace(steps=max(1, ceil_div(ceil_div(pixels, STEP), chunks)))


def _product(rounding: str, x: Any, dy: Any, window: Window, dw: Any) -> Any:
    check_tensor_cores("conv2d", dw)
    x, dy, groups = contiguous(x), contiguous(dy), window.groups
    channels, filters = dw.shape[2], dw.shape[3] // groups
    depth, pixels = dw[..., 0].size, dy[..., 0].size
    plan = weight_plan(depth, filters, pixels, groups, vector((channels, filters), x, dy, dw))
    variant = *plan.variant, rounding
    numbers = *ints(pixels, plan.steps * STEP), *cuda_sizes(x.shape, dw.shape, dy.shape, window)

    def launch(parts: Any) -> None:
        grid = groups * plan.blocks(depth, filters), plan.chunks(pixels)
        FILE.launch(dw, "conv2d_backward_weights_tensor", grid, THREADS, x, dy, parts, *numbers, variant=variant)

    return add_chunks(launch, plan.chunks(pixels), dw)


def conv2d_backward_weights_v7_tensor_tf32(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = windows transposed @ dy, both rounded to TF32"""
    return _product("TF32", x, dy, window, dw)


def conv2d_backward_weights_v8_tensor_bf16(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = windows transposed @ dy, both rounded to bfloat16"""
    return _product("BFLOAT16", x, dy, window, dw)


def conv2d_backward_weights_v9_tensor_half(x: Any, dy: Any, window: Window, dw: Any) -> Any:
    """dw = windows transposed @ dy, both rounded to half"""
    return _product("HALF", x, dy, window, dw)
