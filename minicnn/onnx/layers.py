"""LAYERS: how each layer class is said in ONNX.  A class that is not in the table is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .activations import activation, rectifier, softmax
from .graph import Graph, Value
from .merge import concatenate, custom_scale, dot, merge
from .normalization import (
    batch_normalization,
    group_normalization,
    layer_normalization,
    layer_scale,
    normalization,
    rescaling,
    unit_normalization,
)
from .operations import operation
from .recurrent import recurrent
from .sequences import bidirectional, embedding, masking, time_distributed
from .shapes import (
    center_crop,
    cropping,
    flatten,
    permute,
    random_crop,
    repeat_vector,
    repeated,
    reshape,
    resizing,
    upsampling,
    zero_padding,
)
from .windows import convolution, depthwise, global_pooling, pooling, separable, transposed


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


def _prelu(graph: Graph, layer: Any, x: Value) -> Value:
    alpha = layer.alpha.numpy()
    return graph.apply("PRelu", x, graph.constant(np.moveaxis(alpha, -1, 0) if x.first else alpha))


AVERAGE, LARGEST = pooling("AveragePool", count_include_pad=0), pooling("MaxPool")
MEAN, MAXIMUM = global_pooling("GlobalAveragePool"), global_pooling("GlobalMaxPool")

LAYERS: dict[str, Callable[..., Any]] = {
    "Activation": lambda graph, layer, x: activation(graph, x, layer.activation),
    "ActivityRegularization": _same,
    "Add": merge("Sum"),
    "AlphaDropout": _same,
    "AugMix": _same,
    "Average": merge("Mean"),
    "AveragePooling1D": AVERAGE,
    "AveragePooling2D": AVERAGE,
    "AveragePooling3D": AVERAGE,
    "BatchNormalization": batch_normalization,
    "Bidirectional": bidirectional,
    "CenterCrop": center_crop,
    "Concatenate": concatenate,
    "Conv1D": convolution,
    "Conv1DTranspose": transposed,
    "Conv2D": convolution,
    "Conv2DTranspose": transposed,
    "Conv3D": convolution,
    "Conv3DTranspose": transposed,
    "ConvLSTM2D": recurrent,
    "Cropping1D": cropping,
    "Cropping2D": cropping,
    "Cropping3D": cropping,
    "CustomScaleLayer": custom_scale,
    "CutMix": _same,
    "Dense": _dense,
    "DepthwiseConv1D": depthwise,
    "DepthwiseConv2D": depthwise,
    "Dot": dot,
    "Dropout": _same,
    "ELU": lambda graph, layer, x: graph.apply("Elu", x, alpha=layer.alpha),
    "Embedding": embedding,
    "Flatten": flatten,
    "GRU": recurrent,
    "GaussianDropout": _same,
    "GaussianNoise": _same,
    "GlobalAveragePooling1D": MEAN,
    "GlobalAveragePooling2D": MEAN,
    "GlobalAveragePooling3D": MEAN,
    "GlobalMaxPooling1D": MAXIMUM,
    "GlobalMaxPooling2D": MAXIMUM,
    "GlobalMaxPooling3D": MAXIMUM,
    "GroupNormalization": group_normalization,
    "Identity": _same,
    "InputLayer": _same,
    "LSTM": recurrent,
    "LayerNormalization": layer_normalization,
    "LayerScale": layer_scale,
    "LeakyReLU": lambda graph, layer, x: graph.apply("LeakyRelu", x, alpha=layer.negative_slope),
    "Masking": masking,
    "MaxPooling1D": LARGEST,
    "MaxPooling2D": LARGEST,
    "MaxPooling3D": LARGEST,
    "Maximum": merge("Max"),
    "Minimum": merge("Min"),
    "MixUp": _same,
    "Multiply": merge("Mul"),
    "Normalization": normalization,
    "Operation": operation,
    "PReLU": _prelu,
    "Permute": permute,
    "RandAugment": _same,
    "RandomBrightness": _same,
    "RandomColorDegeneration": _same,
    "RandomColorJitter": _same,
    "RandomContrast": _same,
    "RandomCrop": random_crop,
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
    "RepeatVector": repeat_vector,
    "Rescaling": rescaling,
    "Reshape": reshape,
    "Resizing": resizing,
    "SeparableConv1D": separable,
    "SeparableConv2D": separable,
    "SimpleRNN": recurrent,
    "Softmax": lambda graph, layer, x: softmax(graph, x, layer.axis),
    "Solarization": _same,
    "SpatialDropout1D": _same,
    "SpatialDropout2D": _same,
    "SpatialDropout3D": _same,
    "StochasticDepth": _same,
    "Subtract": merge("Sub"),
    "TimeDistributed": time_distributed,
    "UnitNormalization": unit_normalization,
    "UpSampling1D": repeated,
    "UpSampling2D": upsampling,
    "UpSampling3D": repeated,
    "ZeroPadding1D": zero_padding,
    "ZeroPadding2D": zero_padding,
    "ZeroPadding3D": zero_padding,
}
