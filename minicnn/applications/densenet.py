"""DenseNet121, 169 and 201 (Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, table 1).

Within a block each layer sees what all layers before it have made: its 32 channels (the growth rate) are appended to
its input.  A 1x1 convolution to 128 channels keeps the 3x3 convolution narrow (section 3, "Bottleneck layers").
Between blocks a transition halves the channels and the image.  Normalisation and activation come before convolutions.
"""

from typing import Any

from minicnn.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.models import Model
from minicnn.preparation import modes

from .family import Weights, classified, finish, image_input, pooled
from .labels import decode_predictions

MODE = "torch"
GROWTH = 32
EPSILON = 1.001e-5

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]


def DenseNet121(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """Blocks (6,12,24,16); 8,062,504 weights, 7,037,504 without top.  Arguments as VGG16.

    >>> from minicnn.applications import DenseNet121
    >>> DenseNet121(weights=None, include_top=False).count_params()
    7037504
    """
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _densenet("DenseNet121", (6, 12, 24, 16), *options)


def DenseNet169(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """Blocks (6,12,32,32); 14,307,880 weights, 12,642,880 without top.  Arguments as VGG16."""
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _densenet("DenseNet169", (6, 12, 32, 32), *options)


def DenseNet201(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """Blocks (6,12,48,32); 20,242,984 weights, 18,321,984 without top.  Arguments as VGG16."""
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _densenet("DenseNet201", (6, 12, 48, 32), *options)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as DenseNet takes it: x / 255, minus the mean, divided by the deviation of each channel."""
    return modes.preprocess_input(x, MODE)


def _bn_relu(x: SymbolicTensor, prefix: str = "") -> SymbolicTensor:
    x = BatchNormalization(epsilon=EPSILON, name=f"{prefix}bn")(x)
    return Activation("relu", name=f"{prefix}relu")(x)


def _conv(x: SymbolicTensor, filters: int, size: int, name: str, **options: Any) -> SymbolicTensor:
    return Conv2D(filters, size, use_bias=False, name=f"{name}_conv", **options)(x)


def _layer(x: SymbolicTensor, name: str) -> SymbolicTensor:
    """x and, behind it, the channels that are made of it."""
    new = _conv(_bn_relu(x, f"{name}_0_"), 4 * GROWTH, 1, f"{name}_1")
    new = _conv(_bn_relu(new, f"{name}_1_"), GROWTH, 3, f"{name}_2", padding="same")
    return Concatenate(name=f"{name}_concat")([x, new])


def _transition(x: SymbolicTensor, name: str) -> SymbolicTensor:
    """Half of the channels, a quarter of the pixels."""
    channels: Any = x.shape[3]
    x = _conv(_bn_relu(x, f"{name}_"), channels // 2, 1, name)
    return AveragePooling2D(2, name=f"{name}_pool")(x)


def _densenet(
    name: str,
    depths: tuple[int, ...],
    include_top: bool,
    weights: Weights,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: str | None,
) -> Model:
    inputs = image_input(input_shape, 224, 32, include_top, input_tensor)
    x = _bn_relu(_conv(ZeroPadding2D(3)(inputs), 64, 7, "conv1", strides=2), "conv1_")
    x = MaxPooling2D(3, 2, name="pool1")(ZeroPadding2D(1)(x))
    for stage, depth in enumerate(depths, 2):
        if stage > 2:
            x = _transition(x, f"pool{stage - 1}")
        for number in range(1, depth + 1):
            x = _layer(x, f"conv{stage}_block{number}")
    x = _bn_relu(x)
    x = classified(x, classes, classifier_activation) if include_top else pooled(x, pooling, named=True)
    return finish(Model(inputs, x, name=name.lower()), name, weights, include_top, classes, MODE)
