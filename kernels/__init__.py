"""Kernels: arrays in, arrays out.

Each operation is a module with functions on arrays, `kernels.conv2d.forward(x, w, ...)` and its gradients; behind it
stands a ladder of rungs, from the loops that define it to the fastest form.  Nothing here knows of tensors or layers.
"""

from . import (
    activation,
    batchnorm,
    concatenate,
    conv2d,
    dropout,
    layernorm,
    optimizer_step,
    pad2d,
    prelu,
    softmax,
    softmax_crossentropy,
)
from ._registry import KernelSpec, device_of, operations, record, rungs, specs, use
from ._shapes import Padding, Pair, output_size, padding_sides, pair, same_padding
from ._threads import get_num_threads, set_num_threads

__all__ = [
    "KernelSpec",
    "Padding",
    "Pair",
    "activation",
    "batchnorm",
    "concatenate",
    "conv2d",
    "device_of",
    "dropout",
    "get_num_threads",
    "layernorm",
    "operations",
    "pad2d",
    "optimizer_step",
    "output_size",
    "padding_sides",
    "pair",
    "prelu",
    "record",
    "rungs",
    "same_padding",
    "set_num_threads",
    "softmax",
    "softmax_crossentropy",
    "specs",
    "use",
]
