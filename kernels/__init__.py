"""Kernels: arrays in, arrays out.

Each operation is a module with functions on arrays, `kernels.conv2d.forward(x, w, ...)` and its gradients; behind it
stands a ladder of rungs, from the loops that define it to the fastest form.  Nothing here knows of tensors or layers.
"""

from . import conv2d
from ._registry import KernelSpec, device_of, operations, record, rungs, specs, use
from ._threads import get_num_threads, set_num_threads

__all__ = [
    "KernelSpec",
    "conv2d",
    "device_of",
    "get_num_threads",
    "operations",
    "record",
    "rungs",
    "set_num_threads",
    "specs",
    "use",
]
