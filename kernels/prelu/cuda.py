"""prelu on a GPU: what cuda.cu is launched with."""

from typing import Any

from .._cuda_broadcast import slabs
from .._cuda_file import CudaFile, contiguous
from .._device import device
from .._where import device_of
from ..elementwise.cuda_reduce import elementwise_reduce_v2_chunks

FILE = CudaFile("prelu/cuda.cu")


def prelu_forward_v1_direct(x: Any, alpha: Any, y: Any) -> Any:
    """y = x where x > 0, else alpha x"""
    for (slopes,), arrays, sizes in slabs((alpha,), (contiguous(x), y)):
        FILE.each(y, "prelu_forward_v1_direct", arrays[0].size, slopes, *arrays, *sizes)
    return y


def prelu_backward_v1_direct(x: Any, alpha: Any, dy: Any, dx: Any, dalpha: Any) -> tuple[Any, Any]:
    """(dx, dalpha)"""
    shares = device(device_of(dx)).xp.empty(x.shape, x.dtype)
    for (slopes,), arrays, sizes in slabs((alpha,), (contiguous(x), contiguous(dy), dx, shares)):
        FILE.each(dx, "prelu_backward_v1_direct", arrays[0].size, slopes, *arrays, *sizes)
    return dx, elementwise_reduce_v2_chunks(shares, dalpha)
