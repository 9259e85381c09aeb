"""What becomes part of the weights before it: a product or a sum with one number for each channel.

f(x) s          (w s) x + b s            LayerScale, Rescaling, x * 0.5
f(x) + t        w x + (b + t)            x + 3.0
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.autograd import Function, Parameter
from minicnn.autograd.arithmetic import Multiply
from minicnn.ops.conv import Conv2DTranspose, DepthwiseConv2D

from .trace import Instruction, Value, host_array_of, parameters_of


class Channelwise:
    """x s or x + t, with one number for each channel or for all."""

    def __init__(self, operation: type[Function], operand: Any):
        self.operation, self.operand = operation, operand

    def parameters(self) -> list[Parameter]:
        return parameters_of([self.operand])

    def apply(self, function: type[Function], w: np.ndarray, b: np.ndarray | None) -> tuple[np.ndarray, Any]:
        """The weights and bias that include it."""
        channels = w.shape[2] * w.shape[3] if function is DepthwiseConv2D else w.shape[_filters(function)]
        vector = np.broadcast_to(host_array_of(self.operand).reshape(-1), channels)
        if self.operation is Multiply:
            return scaled(function, w, vector), None if b is None else b * vector
        return w, np.array(vector) if b is None else b + vector


def scaled(function: type[Function], w: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The weights of outputs that are `scale` (F,) times as large."""
    if function is DepthwiseConv2D:
        return w * scale.reshape(w.shape[2:])
    return w * scale[:, None] if function is Conv2DTranspose else w * scale


def channel_operand(item: Instruction) -> tuple[Value, Any] | None:
    """(what is computed, one number for each of its channels or for all) of a sum or product of these, or None."""
    values = [value for value in item.inputs if isinstance(value, Value)]
    if len(values) != 1:
        return None
    (value,) = values
    operand = item.inputs[1] if item.inputs[0] is value else item.inputs[0]
    alone = all(size == 1 for size in operand.shape[:-1])
    if not alone or operand.shape[-1:] not in ((), (1,), value.shape[-1:]) or item.output.shape != value.shape:
        return None
    return value, operand


def _filters(function: type[Function]) -> int:
    """The axis of the weights along which outputs lie."""
    return 2 if function is Conv2DTranspose else -1
