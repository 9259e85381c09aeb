"""dropout on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._gpu.broadcast import slabs
from .._gpu.file import CudaFile, contiguous

FILE = CudaFile("dropout/cuda.cu")


def dropout_forward_v1_direct(x: Any, mask: Any, scale: float, y: Any) -> Any:
    """y = x mask scale"""
    return _drop("v1_direct", x, mask, scale, y)


def dropout_forward_v2_vector(x: Any, mask: Any, scale: float, y: Any) -> Any:
    """y = x mask scale, four numbers a thread"""
    return _drop("v2_vector", x, mask, scale, y)


def _drop(rung: str, x: Any, mask: Any, scale: float, y: Any) -> Any:
    for slab in slabs((contiguous(mask).view(np.uint8),), (contiguous(x), y)):
        FILE.each(y, f"dropout_{rung}", slab.threads(rung), *slab.operands, *slab.full, np.float32(scale), *slab.sizes)
    return y


dropout_backward_v1_direct = dropout_forward_v1_direct
dropout_backward_v2_vector = dropout_forward_v2_vector
