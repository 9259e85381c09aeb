"""DenseNet121, 169 and 201 (Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, table 1).

Within a block each layer sees what all layers before it have made: its 32 channels (the growth rate) are appended to
its input.  A 1x1 convolution to 128 channels keeps the 3x3 convolution narrow (section 3, "Bottleneck layers").
Between blocks a transition halves the channels and the image.  Normalisation and activation come before convolutions.
"""

from functools import partial
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
from minicnn.preparation import modes

from .family import Builder, member
from .labels import decode_predictions

MODE = "torch"
GROWTH = 32
EPSILON = 1.001e-5

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]


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


def _body(x: SymbolicTensor, depths: tuple[int, ...]) -> SymbolicTensor:
    x = _bn_relu(_conv(ZeroPadding2D(3)(x), 64, 7, "conv1", strides=2), "conv1_")
    x = MaxPooling2D(3, 2, name="pool1")(ZeroPadding2D(1)(x))
    for stage, depth in enumerate(depths, 2):
        if stage > 2:
            x = _transition(x, f"pool{stage - 1}")
        for number in range(1, depth + 1):
            x = _layer(x, f"conv{stage}_block{number}")
    return _bn_relu(x)


def _member(name: str, depths: tuple[int, ...]) -> Builder:
    return member(name, f"Blocks {depths}", partial(_body, depths=depths), named=True)


DenseNet121 = _member("DenseNet121", (6, 12, 24, 16))
DenseNet169 = _member("DenseNet169", (6, 12, 32, 32))
DenseNet201 = _member("DenseNet201", (6, 12, 48, 32))
