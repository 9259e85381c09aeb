"""prelu on a GPU: what cuda.cu is launched with."""

from typing import Any

from .._device import device
from .._gpu.broadcast import slabs
from .._gpu.file import CudaFile, contiguous
from .._where import device_of
from ..elementwise.cuda_reduce import elementwise_reduce_v2_chunks

FILE = CudaFile("prelu/cuda.cu")


def prelu_forward_v1_direct(x: Any, alpha: Any, y: Any) -> Any:
    """y = x where x > 0, else alpha x"""
    return _forward("v1_direct", x, alpha, y)


def prelu_forward_v2_vector(x: Any, alpha: Any, y: Any) -> Any:
    """y = x where x > 0, else alpha x, four numbers a thread"""
    return _forward("v2_vector", x, alpha, y)


def prelu_backward_v1_direct(x: Any, alpha: Any, dy: Any, dx: Any, dalpha: Any) -> tuple[Any, Any]:
    """(dx, dalpha)"""
    return _backward("v1_direct", x, alpha, dy, dx, dalpha)


def prelu_backward_v2_vector(x: Any, alpha: Any, dy: Any, dx: Any, dalpha: Any) -> tuple[Any, Any]:
    """(dx, dalpha), four numbers a thread"""
    return _backward("v2_vector", x, alpha, dy, dx, dalpha)


def _forward(rung: str, x: Any, alpha: Any, y: Any) -> Any:
    for slab in slabs((alpha,), (contiguous(x), y)):
        FILE.each(y, f"prelu_forward_{rung}", slab.threads(rung), *slab.operands, *slab.full, *slab.sizes)
    return y


def _backward(rung: str, x: Any, alpha: Any, dy: Any, dx: Any, dalpha: Any) -> tuple[Any, Any]:
    shares = device(device_of(dx)).xp.empty(x.shape, x.dtype)
    for slab in slabs((alpha,), (contiguous(x), contiguous(dy), dx, shares)):
        FILE.each(dx, f"prelu_backward_{rung}", slab.threads(rung), *slab.operands, *slab.full, *slab.sizes)
    return dx, elementwise_reduce_v2_chunks(shares, dalpha)
