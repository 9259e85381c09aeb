"""softmax on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.file import CudaFile, contiguous
from .._gpu.rows import rows_of

FILE = CudaFile("softmax/cuda.cu")


def softmax_forward_v1_direct(x: Any, log: bool, y: Any) -> Any:
    """y = softmax(x) or log softmax(x)"""
    rows, count = rows_of(x)
    FILE.each(y, "softmax_forward_v1_direct", int(rows), contiguous(x), y, np.int32(log), rows, count)
    return y


def softmax_backward_v1_direct(y: Any, dy: Any, log: bool, dx: Any) -> Any:
    """dx = y (dy - sum of dy y), or dy - exp(y) sum of dy"""
    rows, count = rows_of(y)
    FILE.each(dx, "softmax_backward_v1_direct", int(rows), *map(contiguous, (y, dy)), dx, np.int32(log), rows, count)
    return dx
