"""Matrix products side by side on a GPU: what cuda_product.cu is launched with."""

from typing import Any

from .._gpu.blocks import VARIANTS, blocking, vector
from .._gpu.file import CudaFile, ints

FILE = CudaFile("conv2d/cuda_product.cu", variants=VARIANTS)


def products(a: Any, b: Any, sizes: tuple[int, int, int, int], y: Any) -> None:
    """y (batch, rows, columns) = a (batch, rows, depth) b (batch, depth, columns), from contiguous arrays of any shape.

    `sizes` are batch, rows, depth and columns; the arrays may be longer than these make them.
    """
    batch, rows, depth, columns = sizes
    plan = blocking(rows, columns, depth, batch, vector((depth, columns), a, b, y), split=False)
    grid, numbers = (plan.blocks(rows, columns), batch), ints(rows, depth, columns)
    FILE.launch(y, "conv2d_products", grid, plan.threads, a, b, y, *numbers, variant=plan.variant)
