"""dropout on a GPU: what cuda.cu is launched with."""

from typing import Any

import numpy as np

from .._cuda_broadcast import slabs
from .._cuda_file import CudaFile, contiguous

FILE = CudaFile("dropout/cuda.cu")


def dropout_forward_v1_direct(x: Any, mask: Any, scale: float, y: Any) -> Any:
    """y = x mask scale"""
    for (kept,), arrays, sizes in slabs((contiguous(mask).view(np.uint8),), (contiguous(x), y)):
        FILE.each(y, "dropout_v1_direct", y.size, kept, *arrays, np.float32(scale), *sizes)
    return y


dropout_backward_v1_direct = dropout_forward_v1_direct
