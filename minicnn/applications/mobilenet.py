"""MobileNet (Howard et al., "MobileNets", 2017, table 1): depthwise and 1x1 convolutions in turn.

`alpha` makes every layer thinner or wider.
"""

from typing import Any

from minicnn.errors import ArgumentError
from minicnn.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.models import Model
from minicnn.preparation import modes

from .family import Weights, checked_alpha, finish, image_input, is_imagenet, pooled, trained_rows
from .labels import decode_predictions

MODE = "tf"
BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """13 pairs of depthwise and 1x1 convolutions; 4,253,864 weights at alpha 1, 3,228,864 without top.

    Parameters
    ----------
    alpha : width multiplier; weights are published for 0.25, 0.5, 0.75 and 1
    depth_multiplier : kernels for each channel of the depthwise convolutions
    dropout : rate before the classifier
    others : as VGG16

    Examples
    --------
    >>> from minicnn.applications import MobileNet
    >>> MobileNet(weights=None, alpha=0.25, include_top=False).count_params()
    218544
    """
    alpha = checked_alpha("MobileNet", alpha)
    inputs = image_input(input_shape, 224, 32, include_top, input_tensor)
    x = Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(inputs)
    x = _bn_relu(x, "conv1")
    for number, (filters, stride) in enumerate(BLOCKS, 1):
        x = _block(x, int(filters * alpha), stride, depth_multiplier, number)
    if include_top:
        x = GlobalAveragePooling2D(keepdims=True)(x)
        x = Dropout(dropout, name="dropout")(x)
        x = Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = Reshape((classes,), name="reshape_2")(x)
        x = Activation(classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    rows = inputs.shape[1]
    if is_imagenet(weights):
        if depth_multiplier != 1:
            raise ArgumentError(f"weights='imagenet' exist for depth_multiplier 1; got {depth_multiplier}")
        rows = trained_rows("MobileNet", alpha, inputs, include_top)
    model = Model(inputs, x, name=f"mobilenet_{alpha:0.2f}_{rows}")
    return finish(model, "MobileNet", weights, include_top, classes, MODE, alpha=alpha, rows=rows)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as MobileNet takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _bn_relu(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return ReLU(6.0, name=f"{name}_relu")(BatchNormalization(name=f"{name}_bn")(x))


def _block(x: SymbolicTensor, filters: int, stride: int, depth_multiplier: int, number: int) -> SymbolicTensor:
    """A 3x3 convolution of each channel, then a 1x1 convolution across them."""
    if stride == 2:
        x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    depthwise = DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )
    x = _bn_relu(depthwise(x), f"conv_dw_{number}")
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return _bn_relu(x, f"conv_pw_{number}")
