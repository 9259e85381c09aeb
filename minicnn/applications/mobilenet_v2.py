"""MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018).

A block widens its input by a 1x1 convolution, filters each channel by itself, and projects the result to few channels
without an activation (sections 3.2 and 3.3).  The shortcut joins the narrow ends.  `alpha` makes all layers but the
last convolution thinner, or all of them wider (section 4).
"""

from typing import Any

from minicnn.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    ReLU,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.models import Model
from minicnn.preparation import modes

from .family import (
    Weights,
    checked_alpha,
    divisible,
    finish,
    image_input,
    is_imagenet,
    pooled,
    strided_padding,
    trained_rows,
)
from .labels import decode_predictions

MODE = "tf"
EXPANSION = 6
STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))  # c, n, s of table 2
BLOCKS = [(filters, stride if i == 0 else 1) for filters, depth, stride in STAGES for i in range(depth)]

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """17 inverted residuals; 3,538,984 weights at alpha 1, 2,257,984 without top.

    Parameters
    ----------
    alpha : width multiplier; weights are published for 0.35, 0.5, 0.75, 1, 1.3 and 1.4
    others : as VGG16

    Examples
    --------
    >>> from minicnn.applications import MobileNetV2
    >>> MobileNetV2(weights=None, alpha=0.35, include_top=False).count_params()
    410208
    """
    alpha = checked_alpha("MobileNetV2", alpha)
    inputs = image_input(input_shape, 224, 32, include_top, input_tensor)
    x = Conv2D(divisible(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(inputs)
    x = ReLU(6.0, name="Conv1_relu")(_bn(x, "bn_Conv1"))
    for number, (filters, stride) in enumerate(BLOCKS):
        x = _block(x, divisible(int(filters * alpha)), stride, number)
    x = Conv2D(divisible(1280 * max(alpha, 1)), 1, use_bias=False, name="Conv_1")(x)
    x = ReLU(6.0, name="out_relu")(_bn(x, "Conv_1_bn"))
    if include_top:
        x = GlobalAveragePooling2D()(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    rows = trained_rows("MobileNetV2", alpha, inputs, include_top) if is_imagenet(weights) else inputs.shape[1]
    model = Model(inputs, x, name=f"mobilenetv2_{alpha:0.2f}_{rows}")
    return finish(model, "MobileNetV2", weights, include_top, classes, MODE, alpha=alpha, rows=rows)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as MobileNetV2 takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _bn(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return BatchNormalization(momentum=0.999, epsilon=1e-3, name=name)(x)


def _pointwise(x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    return _bn(Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x), f"{name}_BN")


def _block(inputs: SymbolicTensor, filters: int, stride: int, number: int) -> SymbolicTensor:
    """Expansion, but in the first, filter and projection; a shortcut around them where the shape stays."""
    channels: Any = inputs.shape[3]
    x, name = inputs, f"block_{number}" if number else "expanded_conv"
    if number:
        x = ReLU(6.0, name=f"{name}_expand_relu")(_pointwise(x, EXPANSION * channels, f"{name}_expand"))
    padding = "same"
    if stride == 2:
        x, padding = ZeroPadding2D(strided_padding(x, 3), name=f"{name}_pad")(x), "valid"
    x = DepthwiseConv2D(3, strides=stride, padding=padding, use_bias=False, name=f"{name}_depthwise")(x)
    x = ReLU(6.0, name=f"{name}_depthwise_relu")(_bn(x, f"{name}_depthwise_BN"))
    x = _pointwise(x, filters, f"{name}_project")
    return Add(name=f"{name}_add")([inputs, x]) if stride == 1 and channels == filters else x
