"""Layers that slide a window over images: convolutions and poolings, on (N,C,H,W).

Keras' "same" is ONNX's SAME_UPPER: the smaller half of the zeros comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.kernels import same_padding, span
from minicnn.kernels.conv2d_transpose import output_size

from .activations import activation
from .graph import Graph, Value

AUTO_PAD = {"same": "SAME_UPPER", "valid": "VALID"}
ANY_SIZE = 8  # of an image, where what is padded or cut off does not depend on it


def conv2d(graph: Graph, layer: Any, x: Value) -> Value:
    """kernel (KH,KW,C,F) -> (F,C,KH,KW)"""
    kernel = layer.kernel.numpy().transpose(3, 2, 0, 1)
    y = _convolved(graph, layer, x, kernel, layer.bias, layer.groups)
    return activation(graph, y, layer.fused)


def depthwise_conv2d(graph: Graph, layer: Any, x: Value) -> Value:
    kernel = _depthwise_kernel(layer.kernel)
    y = _convolved(graph, layer, x, kernel, layer.bias, layer.channels)
    return activation(graph, y, layer.fused)


def separable_conv2d(graph: Graph, layer: Any, x: Value) -> Value:
    y = _convolved(graph, layer, x, _depthwise_kernel(layer.depthwise_kernel), None, layer.channels)
    kernel = layer.pointwise_kernel.numpy().transpose(3, 2, 0, 1)
    y = graph.apply("Conv", y, *_weights(graph, kernel, layer.bias))
    return activation(graph, y, layer.fused)


def conv2d_transpose(graph: Graph, layer: Any, x: Value) -> Value:
    """kernel (KH,KW,F,C) -> (C,F,KH,KW); the window is cut as kernels.conv2d_transpose cuts it."""
    before, after, more = [], [], []
    given = layer.output_padding or (None, None)
    for taps, stride, extra in zip(map(span, layer.kernel_size, layer.dilation_rate), layer.strides, given):
        outputs, whole = output_size(ANY_SIZE, taps, stride, layer.padding, extra), (ANY_SIZE - 1) * stride + taps
        cut = max(whole - outputs, 0)
        before.append(cut // 2)
        after.append(cut - cut // 2)
        more.append(outputs - whole + cut)
    weights = _weights(graph, layer.kernel.numpy().transpose(3, 2, 0, 1), layer.bias)
    window = {"strides": layer.strides, "pads": [*before, *after], "output_padding": more}
    window["dilations"] = layer.dilation_rate
    y = graph.apply("ConvTranspose", graph.first(x), *weights, **window)
    return activation(graph, y, layer.fused)


def pooling(kind: str, **attributes: Any) -> Any:
    """A pooling layer as an ONNX operation."""

    def layer_to_onnx(graph: Graph, layer: Any, x: Value) -> Value:
        skips = any(step > taps for step, taps in zip(layer.strides, layer.pool_size))
        if layer.padding == "same" and skips:  # engines refuse the zeros that would be less than none
            raise UnsupportedError(
                f"layer {layer.name}: {type(layer).__name__} with padding='same' and strides {layer.strides} beyond "
                f"its window {layer.pool_size} has no form in ONNX"
            )
        window = {"kernel_shape": layer.pool_size, "strides": layer.strides, "auto_pad": AUTO_PAD[layer.padding]}
        return graph.apply(kind, graph.first(x), **window, **attributes)

    return layer_to_onnx


def global_pooling(kind: str) -> Any:
    """A pooling layer over whole images as an ONNX operation."""

    def layer_to_onnx(graph: Graph, layer: Any, x: Value) -> Value:
        y = graph.apply(kind, graph.first(x))
        return y if layer.keepdims else Value(graph.node("Flatten", y.name), 2)

    return layer_to_onnx


def _convolved(graph: Graph, layer: Any, x: Value, kernel: np.ndarray, bias: Any, groups: int) -> Value:
    window = {"strides": layer.strides, "dilations": layer.dilation_rate, "group": groups}
    if (
        layer.padding == "same" and max(layer.dilation_rate) > 1
    ):  # then the stride is 1; engines do not pad by name here
        sides = [same_padding(ANY_SIZE, k, 1, d) for k, d in zip(layer.kernel_size, layer.dilation_rate)]
        window["pads"] = [side[i] for i in (0, 1) for side in sides]
    else:
        window["auto_pad"] = AUTO_PAD[layer.padding]
    return graph.apply("Conv", graph.first(x), *_weights(graph, kernel, bias), **window)


def _weights(graph: Graph, kernel: np.ndarray, bias: Any) -> list[str]:
    arrays = [kernel] if bias is None else [kernel, bias.numpy()]
    return [graph.constant(array) for array in arrays]


def _depthwise_kernel(kernel: Any) -> np.ndarray:
    """(KH,KW,C,M) -> (C M,1,KH,KW)"""
    w = kernel.numpy()
    return w.transpose(2, 3, 0, 1).reshape(-1, 1, *w.shape[:2])
