"""ResNet50, 101 and 152 (He et al., "Deep Residual Learning", 2016, table 1), as Keras builds them.

A block adds its input, or a 1x1 convolution of it, to what three convolutions make of it.  Keras puts the stride on
the first 1x1 convolution, and gives the convolutions a bias although a batch normalisation follows.
"""

from typing import Any

from minicnn.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.models import Model
from minicnn.preparation import modes

from .family import Weights, classified, finish, image_input, pooled
from .labels import decode_predictions

MODE = "caffe"
EPSILON = 1.001e-5

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]


def ResNet50(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """Blocks (3,4,6,3); 25,636,712 weights, 23,587,712 without top.  Arguments as VGG16.

    >>> from minicnn.applications import ResNet50
    >>> ResNet50(weights=None, include_top=False).count_params()
    23587712
    """
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _resnet("ResNet50", (3, 4, 6, 3), *options)


def ResNet101(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """Blocks (3,4,23,3); 44,707,176 weights, 42,658,176 without top.  Arguments as VGG16."""
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _resnet("ResNet101", (3, 4, 23, 3), *options)


def ResNet152(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """Blocks (3,8,36,3); 60,419,944 weights, 58,370,944 without top.  Arguments as VGG16."""
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _resnet("ResNet152", (3, 8, 36, 3), *options)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as ResNet takes it: BGR, minus the mean."""
    return modes.preprocess_input(x, MODE)


def _conv_bn(x: SymbolicTensor, filters: int, size: int, name: str, **options: Any) -> SymbolicTensor:
    x = Conv2D(filters, size, name=f"{name}_conv", **options)(x)
    return BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)


def _block(x: SymbolicTensor, filters: int, stride: int, project: bool, name: str) -> SymbolicTensor:
    """1x1, 3x3 and 1x1 convolutions with a shortcut around them."""
    shortcut = _conv_bn(x, 4 * filters, 1, f"{name}_0", strides=stride) if project else x
    x = Activation("relu", name=f"{name}_1_relu")(_conv_bn(x, filters, 1, f"{name}_1", strides=stride))
    x = Activation("relu", name=f"{name}_2_relu")(_conv_bn(x, filters, 3, f"{name}_2", padding="same"))
    x = _conv_bn(x, 4 * filters, 1, f"{name}_3")
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


def _resnet(
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
    x = ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = Activation("relu", name="conv1_relu")(_conv_bn(x, 64, 7, "conv1", strides=2))
    x = MaxPooling2D(3, 2, name="pool1_pool")(ZeroPadding2D(1, name="pool1_pad")(x))
    for stage, depth in enumerate(depths, 2):
        filters = 64 * 2 ** (stage - 2)
        for number in range(1, depth + 1):
            stride = 2 if number == 1 and stage > 2 else 1
            x = _block(x, filters, stride, number == 1, f"conv{stage}_block{number}")
    x = classified(x, classes, classifier_activation) if include_top else pooled(x, pooling, named=True)
    return finish(Model(inputs, x, name=name.lower()), name, weights, include_top, classes, MODE)
