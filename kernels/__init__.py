"""Kernels: arrays in, arrays out.

Each operation is a module with functions on arrays, `kernels.conv2d.forward(x, w, ...)` and its gradients; behind it
stands a ladder of rungs, from the loops that define it to the fastest form.  Nothing here knows of tensors or layers.
"""

from . import (
    activation,
    avgpool2d,
    batchnorm,
    channel_sum,
    concatenate,
    conv2d,
    conv2d_transpose,
    dense,
    depthwise_conv2d,
    dropout,
    elementwise,
    embedding,
    global_avgpool2d,
    global_maxpool2d,
    layernorm,
    maxpool2d,
    optimizer_step,
    pad2d,
    prelu,
    softmax,
    softmax_crossentropy,
    upsample2d,
)
from ._autotune import autotune_wanted
from ._compiling import on_compiling
from ._cuda import cuda_usable
from ._device import Device, device, devices
from ._gpu.driver import driver_version
from ._gpu.nvrtc import compiler as cuda_compiler
from ._gpu.packages import several_cupys
from ._memory import Memory, reuse
from ._moving import array_module, device_array, fetch, host_array, shared, to_device, to_host, together
from ._other_processes import compiling_network
from ._precision import PRECISIONS, current_precision, precision
from ._registry import (
    Call,
    KernelSpec,
    forced_rungs,
    note_calls,
    numba_wanted,
    operations,
    record,
    rungs,
    specs,
    unrecorded,
    use,
)
from ._shapes import Padding, Pair, Window, output_size, padding_sides, pair, resolve_window, same_padding, span
from ._threads import Jobs, capture, get_num_threads, set_num_threads
from ._warmup import warmup
from ._where import device_of

__all__ = [
    "PRECISIONS",
    "Call",
    "Device",
    "Jobs",
    "KernelSpec",
    "Memory",
    "Padding",
    "Pair",
    "Window",
    "activation",
    "array_module",
    "autotune_wanted",
    "avgpool2d",
    "batchnorm",
    "capture",
    "channel_sum",
    "compiling_network",
    "concatenate",
    "conv2d",
    "conv2d_transpose",
    "cuda_compiler",
    "cuda_usable",
    "current_precision",
    "dense",
    "depthwise_conv2d",
    "device",
    "device_array",
    "device_of",
    "devices",
    "driver_version",
    "dropout",
    "elementwise",
    "embedding",
    "fetch",
    "forced_rungs",
    "get_num_threads",
    "global_avgpool2d",
    "global_maxpool2d",
    "host_array",
    "layernorm",
    "maxpool2d",
    "note_calls",
    "numba_wanted",
    "on_compiling",
    "operations",
    "optimizer_step",
    "output_size",
    "pad2d",
    "padding_sides",
    "pair",
    "precision",
    "prelu",
    "record",
    "resolve_window",
    "reuse",
    "rungs",
    "same_padding",
    "set_num_threads",
    "several_cupys",
    "shared",
    "softmax",
    "softmax_crossentropy",
    "span",
    "specs",
    "to_device",
    "to_host",
    "together",
    "unrecorded",
    "upsample2d",
    "use",
    "warmup",
]
