"""ResNet50, 101 and 152 (He et al., "Deep Residual Learning", 2016, table 1), as Keras builds them.

A block adds its input, or a 1x1 convolution of it, to what three convolutions make of it.  Keras puts the stride on
the first 1x1 convolution, and gives the convolutions a bias although a batch normalisation follows.
"""

from collections.abc import Callable
from functools import partial
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
from minicnn.preparation import modes

from .family import Builder, member
from .labels import decode_predictions

MODE = "caffe"
EPSILON = 1.001e-5

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as ResNet takes it: BGR, minus the mean."""
    return modes.preprocess_input(x, MODE)


def residual_member(
    name: str, depths: tuple[int, ...], block: Callable[..., SymbolicTensor], **options: Any
) -> Builder:
    """ResNet or ResNeXt, which differ in their blocks and in the options of their convolutions."""
    return member(name, f"Blocks {depths}", partial(_body, depths=depths, block=block, options=options), named=True)


def conv_bn(x: SymbolicTensor, filters: int, size: int, name: str, **options: Any) -> SymbolicTensor:
    """A convolution, whose arguments the options are, and a batch normalisation."""
    x = Conv2D(filters, size, name=f"{name}_conv", **options)(x)
    return BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)


def _body(
    x: SymbolicTensor, depths: tuple[int, ...], block: Callable[..., SymbolicTensor], options: dict[str, Any]
) -> SymbolicTensor:
    """A 7x7 convolution, a pooling, and four stages of blocks, each with twice the channels of the one before."""
    x = ZeroPadding2D(3, name="conv1_pad")(x)
    x = Activation("relu", name="conv1_relu")(conv_bn(x, 64, 7, "conv1", strides=2, **options))
    x = MaxPooling2D(3, 2, name="pool1_pool")(ZeroPadding2D(1, name="pool1_pad")(x))
    for stage, depth in enumerate(depths, 2):
        filters = 64 * 2 ** (stage - 2)
        for number in range(1, depth + 1):
            stride = 2 if number == 1 and stage > 2 else 1
            x = block(x, filters, stride, number == 1, f"conv{stage}_block{number}", **options)
    return x


def _block(x: SymbolicTensor, filters: int, stride: int, project: bool, name: str) -> SymbolicTensor:
    """1x1, 3x3 and 1x1 convolutions with a shortcut around them."""
    shortcut = conv_bn(x, 4 * filters, 1, f"{name}_0", strides=stride) if project else x
    x = Activation("relu", name=f"{name}_1_relu")(conv_bn(x, filters, 1, f"{name}_1", strides=stride))
    x = Activation("relu", name=f"{name}_2_relu")(conv_bn(x, filters, 3, f"{name}_2", padding="same"))
    x = conv_bn(x, 4 * filters, 1, f"{name}_3")
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


ResNet50 = residual_member("ResNet50", (3, 4, 6, 3), _block)
ResNet101 = residual_member("ResNet101", (3, 4, 23, 3), _block)
ResNet152 = residual_member("ResNet152", (3, 8, 36, 3), _block)
