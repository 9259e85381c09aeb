"""dense on tensor cores: what cuda_tensor.cu and cuda_tensor_16.cu are launched with."""

from typing import Any

import numpy as np

from .._epilogue import PLAIN, Epilogue
from .._gpu.blocks import vector
from .._gpu.file import CudaFile, Macros, contiguous, ints
from .._gpu.tensor_cores import BUILDS, SIXTEEN_BITS, STAGES, STEP, THREADS, Plan, check_tensor_cores, tensor_plan
from ..conv2d.cuda_chunks import in_chunks
from .cuda import weights_of

TF32 = CudaFile("dense/cuda_tensor.cu", target=80, variants=BUILDS)
SIXTEEN = CudaFile("dense/cuda_tensor_16.cu", target=80, variants=SIXTEEN_BITS)


def _stage_bytes(plan: Plan) -> int:
    """Shared memory of all stages of cuda_tensor.cu."""
    return STAGES * 2 * 4 * plan.side * (STEP + 4)


def _product(
    rounding: str, direction: str, a: Any, b: Any, sizes: tuple[int, int, int], depth: int, c: Any, epilogue: Epilogue
) -> Any:
    """c = activation(a @ b + bias + residual), a or b turned as the direction has them; `sizes` are (R, I, O)."""
    check_tensor_cores("dense", c)
    rows, columns = c.shape
    width = vector(sizes[1:], a, b, epilogue.bias, epilogue.residual, c)
    plan = tensor_plan(rows, columns, max(1, depth), 1, width)
    chunks = plan.chunks(max(1, depth))
    file, name, macros, shared = SIXTEEN, "tensor_16", (rounding,), 0
    if rounding == "TF32":
        file, name, macros, shared = TF32, "v5_tensor_tf32", (), _stage_bytes(plan)

    def launch(bias: Any, residual: Any, low: np.float32, high: np.float32, to: Any) -> None:
        grid = plan.blocks(rows, columns), chunks
        arguments = a, b, bias, residual, to, low, high, *ints(*sizes, plan.steps)
        variant: Macros = (*plan.variant, *macros)
        file.launch(c, f"dense_{direction}_{name}", grid, THREADS, *arguments, shared_bytes=shared, variant=variant)

    return in_chunks(launch, chunks, epilogue, c)


def _forward(rounding: str, x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    x, w = contiguous(x), weights_of(w)
    return _product(rounding, "forward", x, w, (len(x), *w.shape), len(w), y, epilogue)


def _backward_input(rounding: str, dy: Any, w: Any, dx: Any) -> Any:
    dy, w = contiguous(dy), weights_of(w)
    return _product(rounding, "backward_input", dy, w, (len(dy), *w.shape), w.shape[1], dx, PLAIN)


def _backward_weights(rounding: str, x: Any, dy: Any, dw: Any) -> Any:
    x, dy = contiguous(x), contiguous(dy)
    return _product(rounding, "backward_weights", x, dy, (len(x), *dw.shape), len(x), dw, PLAIN)


def dense_forward_v5_tensor_tf32(x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x @ w + bias + residual), x and w rounded to TF32"""
    return _forward("TF32", x, w, epilogue, y)


def dense_backward_input_v5_tensor_tf32(dy: Any, w: Any, dx: Any) -> Any:
    """dx = dy @ w transposed, both rounded to TF32"""
    return _backward_input("TF32", dy, w, dx)


def dense_backward_weights_v5_tensor_tf32(x: Any, dy: Any, dw: Any) -> Any:
    """dw = x transposed @ dy, both rounded to TF32"""
    return _backward_weights("TF32", x, dy, dw)


def dense_forward_v6_tensor_bf16(x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x @ w + bias + residual), x and w rounded to bfloat16"""
    return _forward("BFLOAT16", x, w, epilogue, y)


def dense_backward_input_v6_tensor_bf16(dy: Any, w: Any, dx: Any) -> Any:
    """dx = dy @ w transposed, both rounded to bfloat16"""
    return _backward_input("BFLOAT16", dy, w, dx)


def dense_backward_weights_v6_tensor_bf16(x: Any, dy: Any, dw: Any) -> Any:
    """dw = x transposed @ dy, both rounded to bfloat16"""
    return _backward_weights("BFLOAT16", x, dy, dw)


def dense_forward_v7_tensor_half(x: Any, w: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(x @ w + bias + residual), x and w rounded to half"""
    return _forward("HALF", x, w, epilogue, y)


def dense_backward_input_v7_tensor_half(dy: Any, w: Any, dx: Any) -> Any:
    """dx = dy @ w transposed, both rounded to half"""
    return _backward_input("HALF", dy, w, dx)


def dense_backward_weights_v7_tensor_half(x: Any, dy: Any, dw: Any) -> Any:
    """dw = x transposed @ dy, both rounded to half"""
    return _backward_weights("HALF", x, dy, dw)
