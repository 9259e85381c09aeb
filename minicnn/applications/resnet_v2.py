"""ResNet50V2, 101V2 and 152V2 (He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016), as in Keras.

Normalisation and activation come before each convolution (section 4, figure 4e), so that nothing but additions lies on
the way of the shortcuts from the first block to the last.  A stage begins with a 1x1 convolution as shortcut, which
takes what was normalised; it ends with the block that halves the image, whose shortcut leaves out every other pixel.
"""

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

MODE = "tf"
EPSILON = 1.001e-5

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as ResNetV2 takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _bn_relu(x: SymbolicTensor, name: str) -> SymbolicTensor:
    x = BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return Activation("relu", name=f"{name}_relu")(x)


def _block(x: SymbolicTensor, filters: int, stride: int, project: bool, name: str) -> SymbolicTensor:
    """1x1, 3x3 and 1x1 convolutions of the normalised input, and a shortcut around them."""
    active = _bn_relu(x, f"{name}_preact")
    if project:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(active)
    else:
        shortcut = MaxPooling2D(1, stride)(x) if stride > 1 else x
    x = _bn_relu(Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(active), f"{name}_1")
    x = ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = _bn_relu(Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x), f"{name}_2")
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return Add(name=f"{name}_out")([shortcut, x])


def _body(x: SymbolicTensor, depths: tuple[int, ...]) -> SymbolicTensor:
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(ZeroPadding2D(3, name="conv1_pad")(x))
    x = MaxPooling2D(3, 2, name="pool1_pool")(ZeroPadding2D(1, name="pool1_pad")(x))
    for stage, depth in enumerate(depths, 2):
        filters = 64 * 2 ** (stage - 2)
        for number in range(1, depth + 1):
            stride = 2 if number == depth and stage < 5 else 1
            x = _block(x, filters, stride, number == 1, f"conv{stage}_block{number}")
    return _bn_relu(x, "post")


def _member(name: str, depths: tuple[int, ...]) -> Builder:
    return member(name, f"Blocks {depths}", partial(_body, depths=depths), named=True)


ResNet50V2 = _member("ResNet50V2", (3, 4, 6, 3))
ResNet101V2 = _member("ResNet101V2", (3, 4, 23, 3))
ResNet152V2 = _member("ResNet152V2", (3, 8, 36, 3))
