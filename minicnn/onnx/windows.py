"""Layers that slide a window over steps, images or volumes: convolutions and poolings, on channels first.

Keras' "same" is ONNX's SAME_UPPER: the smaller half of the zeros comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.kernels import same_padding, span
from minicnn.kernels.conv2d_transpose import output_size
from minicnn.layers.window import padding_of

from .activations import activation
from .graph import Graph, Value

AUTO_PAD = {"same": "SAME_UPPER", "valid": "VALID"}
ANY_SIZE = 8  # of an image, where what is padded or cut off does not depend on it


def convolution(graph: Graph, layer: Any, x: Value) -> Value:
    """kernel (taps,C,F) -> (F,C,taps)"""
    y = convolved(graph, layer, x, channels_first(layer.kernel), layer.bias, layer.groups)
    return activation(graph, y, layer.fused)


def depthwise(graph: Graph, layer: Any, x: Value) -> Value:
    y = convolved(graph, layer, x, _depthwise_kernel(layer.kernel), layer.bias, layer.channels)
    return activation(graph, y, layer.fused)


def separable(graph: Graph, layer: Any, x: Value) -> Value:
    y = convolved(graph, layer, x, _depthwise_kernel(layer.depthwise_kernel), None, layer.channels)
    y = graph.apply("Conv", y, *_weights(graph, channels_first(layer.pointwise_kernel), layer.bias))
    return activation(graph, y, layer.fused)


def transposed(graph: Graph, layer: Any, x: Value) -> Value:
    """kernel (taps,F,C) -> (C,F,taps); the window is cut as kernels.conv2d_transpose cuts it."""
    before, after, more = [], [], []
    given = layer.output_padding or (None,) * layer.rank
    for taps, stride, extra in zip(map(span, layer.kernel_size, layer.dilation_rate), layer.strides, given):
        outputs, whole = output_size(ANY_SIZE, taps, stride, layer.padding, extra), (ANY_SIZE - 1) * stride + taps
        cut = max(whole - outputs, 0)
        before.append(cut // 2)
        after.append(cut - cut // 2)
        more.append(outputs - whole + cut)
    window = {"strides": layer.strides, "pads": [*before, *after], "output_padding": more}
    window["dilations"] = layer.dilation_rate
    weights = _weights(graph, channels_first(layer.kernel), layer.bias)
    return activation(graph, graph.apply("ConvTranspose", graph.first(x), *weights, **window), layer.fused)


def pooling(kind: str, **attributes: Any) -> Any:
    """A pooling layer as an ONNX operation."""

    def layer_to_onnx(graph: Graph, layer: Any, x: Value) -> Value:
        window = {"kernel_shape": layer.pool_size, "strides": layer.strides}
        if layer.padding == "same" and any(step > taps for step, taps in zip(layer.strides, layer.pool_size)):
            window["pads"] = _same_pads(layer, x)
        else:
            window["auto_pad"] = AUTO_PAD[layer.padding]
        return graph.apply(kind, graph.first(x), **window, **attributes)

    return layer_to_onnx


def _same_pads(layer: Any, x: Value) -> list[int]:
    """The zeros of "same" in numbers: by name, engines refuse those that would be less than none."""
    sizes = [n for n in x.shape[1:-1] if n is not None]
    if len(sizes) < len(layer.pool_size):
        raise UnsupportedError(
            f"layer {layer.name}: {type(layer).__name__} with padding='same' and strides {layer.strides} beyond its "
            f"window {layer.pool_size} has no form in ONNX for inputs of any size"
        )
    sides = [same_padding(n, taps, stride, 1) for n, taps, stride in zip(sizes, layer.pool_size, layer.strides)]
    return [side[i] for i in (0, 1) for side in sides]


def global_pooling(kind: str) -> Any:
    """A pooling layer over whole images as an ONNX operation."""

    def layer_to_onnx(graph: Graph, layer: Any, x: Value) -> Value:
        if x.mask is not None and kind == "GlobalAveragePool":
            return _mean_of_kept(graph, layer, x, x.mask)
        y = graph.apply(kind, graph.first(x))
        return y if layer.keepdims else Value(graph.node("Flatten", y.name), 2)

    return layer_to_onnx


def _mean_of_kept(graph: Graph, layer: Any, x: Value, mask: Value) -> Value:
    """The mean over the steps that count."""
    axis, options = graph.integers(1), {"keepdims": int(layer.keepdims)}
    counts = graph.node("Unsqueeze", mask.name, graph.integers(2))
    kept = graph.node("Mul", graph.last(x).name, counts)
    total, count = (graph.node("ReduceSum", name, axis, **options) for name in (kept, counts))
    return Value(graph.node("Div", total, count), 3 if layer.keepdims else 2)


def convolved(graph: Graph, layer: Any, x: Value, kernel: np.ndarray, bias: Any, groups: int = 1) -> Value:
    """The convolution by a kernel (F,C/groups,taps) with a layer's window, which takes over zeros around x."""
    window = {"strides": layer.strides, "dilations": layer.dilation_rate, "group": groups}
    x = graph.first(x)
    if layer.padding == "valid" and x.name in graph.padded:
        x, sides = graph.padded[x.name]
        window["pads"] = [side[i] for i in (0, 1) for side in sides]
    elif layer.padding == "causal" or (layer.padding == "same" and max(layer.dilation_rate) > 1):
        # the zeros depend on no size here (dilated ones have a stride of 1), and engines do not pad so by name
        axes = zip(layer.kernel_size, layer.strides, layer.dilation_rate)
        sides = [padding_of(ANY_SIZE, *axis, layer.padding) for axis in axes]
        window["pads"] = [side[i] for i in (0, 1) for side in sides]
    else:
        window["auto_pad"] = AUTO_PAD[layer.padding]
    return graph.apply("Conv", x, *_weights(graph, kernel, bias), **window)


def channels_first(kernel: Any) -> np.ndarray:
    """(taps,A,B) -> (B,A,taps)"""
    w = kernel.numpy()
    return w.transpose(w.ndim - 1, w.ndim - 2, *range(w.ndim - 2))


def _weights(graph: Graph, kernel: np.ndarray, bias: Any) -> list[str]:
    arrays = [kernel] if bias is None else [kernel, bias.numpy()]
    return [graph.constant(array) for array in arrays]


def _depthwise_kernel(kernel: Any) -> np.ndarray:
    """(taps,C,M) -> (C M,1,taps)"""
    w = kernel.numpy()
    return np.moveaxis(w, (-2, -1), (0, 1)).reshape(-1, 1, *w.shape[:-2])
