"""elementwise on a GPU: what cuda.cu is launched with."""

from typing import Any

from .._epilogue import Epilogue
from .._gpu.broadcast import slabs
from .._gpu.file import CudaFile, contiguous, ints

FILE = CudaFile("elementwise/cuda.cu")
COMBINATIONS = ("add", "multiply", "maximum")  # as the file numbers them


def elementwise_add_v1_direct(a: Any, b: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(a + b)"""
    return _combine("add", "v1_direct", a, b, epilogue, y)


def elementwise_multiply_v1_direct(a: Any, b: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(a b)"""
    return _combine("multiply", "v1_direct", a, b, epilogue, y)


def elementwise_maximum_v1_direct(a: Any, b: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the larger of a and b)"""
    return _combine("maximum", "v1_direct", a, b, epilogue, y)


def elementwise_add_v2_vector(a: Any, b: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(a + b), four numbers a thread"""
    return _combine("add", "v2_vector", a, b, epilogue, y)


def elementwise_multiply_v2_vector(a: Any, b: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(a b), four numbers a thread"""
    return _combine("multiply", "v2_vector", a, b, epilogue, y)


def elementwise_maximum_v2_vector(a: Any, b: Any, epilogue: Epilogue, y: Any) -> Any:
    """y = activation(the larger of a and b), four numbers a thread"""
    return _combine("maximum", "v2_vector", a, b, epilogue, y)


def _combine(name: str, rung: str, a: Any, b: Any, epilogue: Epilogue, y: Any) -> Any:
    options = *ints(COMBINATIONS.index(name)), *epilogue.limits
    for slab in slabs((a, b), (y,)):
        (target,) = slab.full
        FILE.each(y, f"elementwise_{rung}", slab.threads(rung), *slab.operands, target, *options, *slab.sizes)
    return y


def elementwise_maximum_backward_v1_direct(a: Any, b: Any, dy: Any, da: Any, db: Any) -> tuple[Any, Any]:
    """da = dy where a >= b, db = dy elsewhere"""
    for operands, arrays, sizes in slabs((a, b), (contiguous(dy), da, db)):
        FILE.each(dy, "elementwise_maximum_backward_v1_direct", arrays[0].size, *operands, *arrays, *sizes)
    return da, db
