"""LAYERS: how each layer class is said in ONNX.  A class that is not in the table is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.layers.normalization import sample_axes
from minicnn.ops.activation import NAMES
from minicnn.ops.resize import CUBIC_STEPS

from .activations import activation, rectifier, softmax
from .graph import Graph, Value
from .windows import conv2d, conv2d_transpose, depthwise_conv2d, global_pooling, pooling, separable_conv2d

TO_THE_END = np.iinfo(np.int64).max


def _same(graph: Graph, layer: Any, x: Value) -> Value:
    """What does nothing at inference."""
    return x


def _dense(graph: Graph, layer: Any, x: Value) -> Value:
    x = graph.last(x)
    weights = [graph.constant(p.numpy()) for p in (layer.kernel, layer.bias) if p is not None]
    if x.rank == 2:
        y = graph.apply("Gemm", x, *weights)
    else:
        y = graph.apply("MatMul", x, weights[0])
        y = graph.apply("Add", y, weights[1]) if len(weights) > 1 else y
    return activation(graph, y, layer.activation)


def _batch_normalization(graph: Graph, layer: Any, x: Value) -> Value:
    """On (N,C,...) as ONNX's own operation; with channels last as one multiplication and one addition."""
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    gamma = np.ones_like(mean) if layer.gamma is None else layer.gamma.numpy()
    beta = np.zeros_like(mean) if layer.beta is None else layer.beta.numpy()
    axis = layer.axis % x.rank
    if x.rank in (2, 4) and axis == x.rank - 1:
        x = graph.first(x) if x.rank == 4 else x
        names = [graph.constant(array) for array in (gamma, beta, mean, variance)]
        return graph.apply("BatchNormalization", x, *names, epsilon=layer.epsilon)
    scale = gamma / np.sqrt(variance + np.float32(layer.epsilon))
    shape = [-1 if i == axis else 1 for i in range(x.rank)]
    y = graph.apply("Mul", graph.last(x), graph.constant(scale.reshape(shape)))
    return graph.apply("Add", y, graph.constant((beta - mean * scale).reshape(shape)))


def _layer_normalization(graph: Graph, layer: Any, x: Value) -> Value:
    """Along the last axes, to which others are brought first."""
    x = graph.last(x)
    axes = sample_axes(layer, layer.axis, layer.input.shape)
    order = [axis for axis in range(x.rank) if axis not in axes] + axes
    sizes = [layer.input.shape[axis] for axis in axes]
    arrays = [np.ones(sizes) if layer.gamma is None else layer.gamma.numpy().reshape(sizes)]
    if layer.beta is not None:
        arrays.append(layer.beta.numpy().reshape(sizes))
    options = {"axis": -len(axes), "epsilon": layer.epsilon}
    names = [graph.constant(array) for array in arrays]
    if order == sorted(order):
        return graph.apply("LayerNormalization", x, *names, **options)
    y = graph.apply("LayerNormalization", graph.apply("Transpose", x, perm=order), *names, **options)
    return graph.apply("Transpose", y, perm=sorted(range(x.rank), key=order.__getitem__))


def _prelu(graph: Graph, layer: Any, x: Value) -> Value:
    alpha = layer.alpha.numpy()
    return graph.apply("PRelu", x, graph.constant(alpha.transpose(2, 0, 1) if x.first else alpha))


def _rescaling(graph: Graph, layer: Any, x: Value) -> Value:
    x = graph.last(x)
    y = graph.apply("Mul", x, graph.constant(layer.scale))
    return graph.apply("Add", y, graph.constant(layer.offset)) if np.any(layer.offset) else y


def _layer_scale(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.apply("Mul", graph.last(x), graph.constant(layer.gamma.numpy()))


def _normalization(graph: Graph, layer: Any, x: Value) -> Value:
    mean, deviation = (graph.constant(array) for array in layer.mean_and_deviation())
    if layer.invert:
        return graph.apply("Add", graph.apply("Mul", graph.last(x), deviation), mean)
    return graph.apply("Div", graph.apply("Sub", graph.last(x), mean), deviation)


def _zero_padding(graph: Graph, layer: Any, x: Value) -> Value:
    (top, bottom), (left, right) = layer.padding
    sides = [0, 0, top, left, 0, 0, bottom, right]
    return graph.apply("Pad", graph.first(x), graph.constant(sides, np.int64))


def _cropping(graph: Graph, layer: Any, x: Value) -> Value:
    starts = [before for before, _ in layer.cropping]
    ends = [-after if after else TO_THE_END for _, after in layer.cropping]
    names = [graph.constant(numbers, np.int64) for numbers in (starts, ends, [2, 3])]
    return graph.apply("Slice", graph.first(x), *names)


def _upsampling(graph: Graph, layer: Any, x: Value) -> Value:
    if layer.interpolation == "nearest":
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    elif layer.interpolation == "bilinear":
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    elif layer.interpolation == "bicubic" and all(CUBIC_STEPS % (2 * factor) == 0 for factor in layer.size):
        how = {"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.5}
        how["exclude_outside"] = 1
    else:
        raise UnsupportedError(
            f"layer {layer.name}: {layer.interpolation} interpolation by {layer.size} has no form in ONNX"
        )
    return graph.apply("Resize", graph.first(x), "", graph.constant([1, 1, *layer.size]), **how)


def _flatten(graph: Graph, layer: Any, x: Value) -> Value:
    return Value(graph.node("Flatten", graph.last(x).name), 2)


def _reshape(graph: Graph, layer: Any, x: Value) -> Value:
    shape = graph.constant([0, *layer.target_shape], np.int64)  # 0: as many samples as there are
    return Value(graph.node("Reshape", graph.last(x).name, shape), len(layer.target_shape) + 1)


def _permute(graph: Graph, layer: Any, x: Value) -> Value:
    return graph.apply("Transpose", graph.last(x), perm=[0, *layer.dims])


def _merge(kind: str) -> Callable[..., Value]:
    """Of any number of values, in one operation or one after another."""

    def layer_to_onnx(graph: Graph, layer: Any, *values: Value) -> Value:
        first, *others = graph.alike(values)
        if kind in ("Mul", "Sub"):
            return reduce(lambda x, y: graph.apply(kind, x, y.name), others, first)
        return graph.apply(kind, first, *(value.name for value in others))

    return layer_to_onnx


def _custom_scale(graph: Graph, layer: Any, *values: Value) -> Value:
    first, second = graph.alike(values)
    return graph.apply("Add", first, graph.apply("Mul", second, graph.constant(layer.scale)).name)


def _concatenate(graph: Graph, layer: Any, *values: Value) -> Value:
    first, *others = graph.alike(values)
    return graph.apply("Concat", first, *(value.name for value in others), axis=first.axis(layer.axis))


OPERATIONS = {"Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "TrueDivide": "Div", "Divide": "Div"}
OPERATIONS |= {"Maximum": "Max", "Minimum": "Min"}


def _operation(graph: Graph, layer: Any, *operands: Any) -> Value:
    """A function of values and numbers, which NumPy's rule makes fit."""
    known = layer.function in ("Negative", *OPERATIONS) or layer.function.lower() in NAMES
    if layer.options or not known:
        raise UnsupportedError(f"operation {layer.name}: {layer.function} has no form in ONNX here")
    values = [graph.last(v) if isinstance(v, Value) else Value(graph.constant(v), np.ndim(v)) for v in operands]
    if layer.function == "Negative":
        return graph.apply("Neg", values[0])
    if layer.function in OPERATIONS:
        rank = max(value.rank for value in values)
        return Value(graph.node(OPERATIONS[layer.function], *(value.name for value in values)), rank)
    return activation(graph, values[0], layer.function.lower())


LAYERS: dict[str, Callable[..., Value]] = {
    "Activation": lambda graph, layer, x: activation(graph, x, layer.activation),
    "ActivityRegularization": _same,
    "Identity": _same,
    "Add": _merge("Sum"),
    "AlphaDropout": _same,
    "AugMix": _same,
    "Average": _merge("Mean"),
    "AveragePooling2D": pooling("AveragePool", count_include_pad=0),
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenate,
    "Conv2D": conv2d,
    "Conv2DTranspose": conv2d_transpose,
    "Cropping2D": _cropping,
    "CustomScaleLayer": _custom_scale,
    "CutMix": _same,
    "Dense": _dense,
    "DepthwiseConv2D": depthwise_conv2d,
    "Dropout": _same,
    "ELU": lambda graph, layer, x: graph.apply("Elu", x, alpha=layer.alpha),
    "Flatten": _flatten,
    "GaussianDropout": _same,
    "GaussianNoise": _same,
    "GlobalAveragePooling2D": global_pooling("GlobalAveragePool"),
    "GlobalMaxPooling2D": global_pooling("GlobalMaxPool"),
    "InputLayer": _same,
    "LayerNormalization": _layer_normalization,
    "LayerScale": _layer_scale,
    "LeakyReLU": lambda graph, layer, x: graph.apply("LeakyRelu", x, alpha=layer.negative_slope),
    "MaxPooling2D": pooling("MaxPool"),
    "Maximum": _merge("Max"),
    "Minimum": _merge("Min"),
    "MixUp": _same,
    "Multiply": _merge("Mul"),
    "Normalization": _normalization,
    "Operation": _operation,
    "PReLU": _prelu,
    "Permute": _permute,
    "RandAugment": _same,
    "RandomBrightness": _same,
    "RandomColorDegeneration": _same,
    "RandomColorJitter": _same,
    "RandomContrast": _same,
    "RandomElasticTransform": _same,
    "RandomErasing": _same,
    "RandomFlip": _same,
    "RandomGaussianBlur": _same,
    "RandomGrayscale": _same,
    "RandomHeight": _same,
    "RandomHue": _same,
    "RandomInvert": _same,
    "RandomPerspective": _same,
    "RandomPosterization": _same,
    "RandomRotation": _same,
    "RandomSaturation": _same,
    "RandomSharpness": _same,
    "RandomShear": _same,
    "RandomTranslation": _same,
    "RandomWidth": _same,
    "RandomZoom": _same,
    "ReLU": lambda graph, layer, x: rectifier(graph, x, layer.max_value, layer.negative_slope, layer.threshold),
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "SeparableConv2D": separable_conv2d,
    "Softmax": lambda graph, layer, x: softmax(graph, x, layer.axis),
    "Solarization": _same,
    "SpatialDropout1D": _same,
    "SpatialDropout2D": _same,
    "SpatialDropout3D": _same,
    "StochasticDepth": _same,
    "Subtract": _merge("Sub"),
    "UpSampling2D": _upsampling,
    "ZeroPadding2D": _zero_padding,
}
