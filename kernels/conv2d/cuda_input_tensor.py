"""The input gradient of conv2d on tensor cores: what cuda_input_tensor.cu is launched with."""

from typing import Any

import numpy as np

from .._epilogue import PLAIN, Epilogue
from .._gpu.blocks import best_tile, chunk_steps, vector
from .._gpu.file import CudaFile, contiguous, ints
from .._gpu.tensor_cores import STEP, THREADS, TILES, Plan, check_tensor_cores
from .._shapes import Pair, Window, ceil_div
from ._cuda_sizes import cuda_sizes
from .cuda_chunks import in_chunks
from .cuda_input_blocked import residue_sizes

ROUNDINGS = ("TF32", "BFLOAT16", "HALF")
SMALL: Pair = (64, 64)  # the tile that is also built for rows that do not begin on 16 bytes
BUILDS = tuple(Plan(side, 4, 1).variant for side, _ in TILES) + (Plan(64, 1, 1).variant,)
VARIANTS = tuple((*build, rounding) for rounding in ROUNDINGS for build in BUILDS)
FILE = CudaFile("conv2d/cuda_input_tensor.cu", target=80, variants=VARIANTS)


def gradient_plan(rows: int, columns: int, depth: int, products: int, width: int) -> Plan:
    """That of so many products (rows, depth) (depth, columns): a function of the shapes alone."""
    tiles = TILES if width == 4 else {SMALL: TILES[SMALL]}
    (side, _), blocks = best_tile(rows, columns, products, tiles, (SMALL,))
    return Plan(side, width, chunk_steps(ceil_div(depth, STEP), blocks))


def _product(rounding: str, dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue) -> Any:
    check_tensor_cores("conv2d", dx)
    dy, w = contiguous(dy), contiguous(w)
    channels, filters = w.shape[2], w.shape[3] // window.groups
    pixels, depth, products = residue_sizes(w.shape, dx.shape, window)
    width = vector((channels, filters), dy, w, epilogue.bias, epilogue.residual, dx)
    plan = gradient_plan(pixels, channels, depth, products, width)
    taps_first = width == 4 and filters % STEP == 0
    sizes = cuda_sizes(dx.shape, w.shape, dy.shape, window)
    numbers = np.int64(dx.size), *ints(dx.shape[0], plan.steps, taps_first), *sizes

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        grid = products * plan.blocks(pixels, channels), plan.chunks(depth)
        arguments, variant = (dy, w, bias, residual, to, low, high, *numbers), (*plan.variant, rounding)
        FILE.launch(dx, "conv2d_backward_input_tensor", grid, THREADS, *arguments, variant=variant)

    return in_chunks(launch, plan.chunks(depth), epilogue, dx)


def conv2d_backward_input_v7_tensor_tf32(dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue = PLAIN) -> Any:
    """dx = windows of dy @ w for each residue of the strides, both rounded to TF32"""
    return _product("TF32", dy, w, window, dx, epilogue)


def conv2d_backward_input_v8_tensor_bf16(dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue = PLAIN) -> Any:
    """dx = windows of dy @ w for each residue of the strides, both rounded to bfloat16"""
    return _product("BFLOAT16", dy, w, window, dx, epilogue)


def conv2d_backward_input_v9_tensor_half(dy: Any, w: Any, window: Window, dx: Any, epilogue: Epilogue = PLAIN) -> Any:
    """dx = windows of dy @ w for each residue of the strides, both rounded to half"""
    return _product("HALF", dy, w, window, dx, epilogue)
