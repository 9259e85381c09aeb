"""Plan: a traced and fused program, ready to run on any batch.

What depends on the weights (folded normalisations, packed kernels) is made when it is first needed and again when a
weight's version has changed.  What depends on the batch's size (the buffers) is made once a size and reused: a value
takes the buffer of one that nobody needs any more.  Several threads may run a plan at once; each takes its own buffers.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from math import prod
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Parameter
from minicnn.ops.activation import Activation
from minicnn.ops.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from minicnn.ops.dense import Dense
from minicnn.ops.pool import AvgPool2D, MaxPool2D

from ..graph import Program
from .fuse import fuse
from .trace import Instruction, Value, trace

KERNELS = {
    Conv2D: kernels.conv2d.forward,
    DepthwiseConv2D: kernels.depthwise_conv2d.forward,
    Conv2DTranspose: kernels.conv2d_transpose.forward,
    Dense: kernels.dense.forward,
    MaxPool2D: kernels.maxpool2d.forward,
    AvgPool2D: kernels.avgpool2d.forward,
    Activation: kernels.activation.forward,
}
CACHE_LINE = 64  # bytes: vectors that begin on one are read in one piece
WEIGHTED = (Conv2D, DepthwiseConv2D, Conv2DTranspose, Dense)


class Plan:
    """A program compiled for inputs of given shapes (batch axis left out) and dtypes."""

    def __init__(self, program: Program, shapes: list[tuple[int, ...]], dtypes: list[np.dtype]):
        traced = trace(program, shapes, dtypes)
        fuse(traced)
        self.instructions, self.inputs, self.outputs = traced.instructions, traced.inputs, traced.outputs
        self.parameters = [p for item in self.instructions for p in item.parameters()]
        self._versions: tuple[int, ...] | None = None
        self._weights: dict[int, list[Any]] = {}
        self._buffers: dict[int, list[_Buffers]] = defaultdict(list)
        self._lock = threading.Lock()

    def run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The outputs for input arrays that share a batch size."""
        batch = len(arrays[0])
        weights = self._current_weights()
        with self._lock:
            free = self._buffers.get(batch)
            buffers = free.pop() if free else None
        if buffers is None:
            buffers = _Buffers(self.instructions, self.outputs, batch)
        values: dict[int, np.ndarray] = dict(zip(map(id, self.inputs), arrays))
        for item in self.instructions:
            values[id(item.output)] = _execute(item, values, weights, buffers.of.get(id(item.output)))
            for spent in buffers.spent[id(item)]:
                values.pop(spent, None)
        results = [self._result(value, values) for value in self.outputs]
        with self._lock:
            if batch not in self._buffers:
                self._buffers.clear()
            self._buffers[batch].append(buffers)
        return results

    @staticmethod
    def _result(value: Any, values: dict[int, np.ndarray]) -> np.ndarray:
        if isinstance(value, Value):
            return values[id(value)]
        return value.array if isinstance(value, Parameter) else value

    def _current_weights(self) -> dict[int, list[Any]]:
        """For each product, its weights and bias as the kernels take them, made anew when a version changed."""
        versions = tuple(parameter.version for parameter in self.parameters)
        with self._lock:
            if versions != self._versions:
                self._weights = {id(i): _bind(i) for i in self.instructions if i.function in WEIGHTED}
                self._versions = versions
            return self._weights


class _Buffers:
    """Memory for the results of one batch size: which buffer each takes, and what is spent after each instruction."""

    def __init__(self, instructions: list[Instruction], outputs: list[Any], batch: int):
        self.of: dict[int, np.ndarray] = {}
        self.spent: dict[int, list[int]] = defaultdict(list)
        results = {id(value) for value in outputs}
        roots, last_use = _lifetimes(instructions)
        free: list[np.ndarray] = []
        for position, item in enumerate(instructions):
            value = item.output
            if item.function in KERNELS and roots[id(value)] == id(value) and not _reaches(value, roots, results):
                shape = (batch, *value.shape[1:])
                self.of[id(value)] = _take(free, shape, value.dtype)
            for key in [key for key, last in last_use.items() if last == position]:
                self.spent[id(item)] += [k for k, root in roots.items() if root == key and k not in results]
                memory = self.of[key].base if key in self.of else None
                if memory is not None:
                    free.append(memory)


def _lifetimes(instructions: list[Instruction]) -> tuple[dict[int, int], dict[int, int]]:
    """(the value whose memory each value lies in; the position after which each such memory is free)."""
    roots: dict[int, int] = {}
    last_use: dict[int, int] = {}
    for position, item in enumerate(instructions):
        sources = item.values()
        own = id(item.output)
        roots[own] = roots.get(id(sources[0]), own) if item.function.is_view and sources else own
        for key in (own, *(id(value) for value in sources)):
            if key in roots:
                last_use[roots[key]] = position
    return roots, last_use


def _reaches(value: Value, roots: dict[int, int], results: set[int]) -> bool:
    """Whether a value's memory is part of the result, which belongs to the caller."""
    return any(root == id(value) and key in results for key, root in roots.items())


def _take(free: list[np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array in the smallest free buffer that is large enough, or in a new one."""
    size = prod(shape) * dtype.itemsize + CACHE_LINE
    fitting = [buffer for buffer in free if buffer.nbytes >= size]
    if fitting:
        buffer = min(fitting, key=lambda b: b.nbytes)
        free[:] = [other for other in free if other is not buffer]
    else:
        buffer = np.empty(size, np.uint8)
    return np.ndarray(shape, dtype, buffer, offset=-buffer.ctypes.data % CACHE_LINE)


def _bind(item: Instruction) -> list[Any]:
    """The weights and bias of a product, with what was folded into them."""
    w, b = (value.array if isinstance(value, Parameter) else value for value in item.inputs[1:3])
    for fold in item.derive:
        w, b = fold.apply(item.function, w, b)
    if item.function is Conv2D and isinstance(item.inputs[0], Value):
        options = {k: item.options[k] for k in ("strides", "padding", "dilation", "groups")}
        w = kernels.conv2d.prepare(w, item.inputs[0].shape, **options)
    return [w, b]


def _execute(
    item: Instruction, values: dict[int, np.ndarray], weights: dict[int, list[Any]], out: np.ndarray | None
) -> np.ndarray:
    """The result of one instruction."""
    inputs = [_operand(value, values) for value in item.inputs]
    if item.function not in KERNELS:
        result = item.function.forward(_FORGETFUL, *inputs, **item.options)
        return result[0] if isinstance(result, tuple) else result
    options = item.options
    if "residual" in options:
        options = {**options, "residual": _operand(options["residual"], values)}
    if item.function in WEIGHTED:
        inputs = [inputs[0], *weights[id(item)]]
    return KERNELS[item.function](*inputs, **options, out=out)


def _operand(value: Any, values: dict[int, np.ndarray]) -> Any:
    if isinstance(value, Value):
        return values[id(value)]
    return value.array if isinstance(value, Parameter) else value


class _Forgetful(Context):
    """A context that keeps nothing: there is no backward pass."""

    def save(self, *values: Any) -> None:
        pass


_FORGETFUL = _Forgetful((False,) * 8, {})
