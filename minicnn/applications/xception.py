"""Xception (Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017, figure 5).

Each 3x3 convolution filters every channel by itself, and a 1x1 convolution then mixes the channels.  Nothing but a
normalisation lies between separable convolutions and the activation before the next (section 4.7).  In twelve of the
fourteen blocks a shortcut leads around two or three of them.
"""

from typing import Any

from minicnn.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    SeparableConv2D,
    SymbolicTensor,
)
from minicnn.preparation import modes

from .family import member
from .labels import decode_predictions

MODE = "tf"
MIDDLE = (728, 728, 728)
BLOCKS = ((128, 128), (256, 256), (728, 728), *[MIDDLE] * 8, (728, 1024))  # filters of blocks 2 to 13

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as Xception takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _body(x: SymbolicTensor) -> SymbolicTensor:
    for number, (filters, stride) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{number}"
        x = _relu(_bn(Conv2D(filters, 3, strides=stride, use_bias=False, name=name)(x), name), name)
    for number, filters in enumerate(BLOCKS, 2):
        x = _block(x, filters, filters != MIDDLE, number)
    for number, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{number}"
        x = _relu(_separable(x, filters, name), name)
    return x


def _bn(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return BatchNormalization(name=f"{name}_bn")(x)


def _relu(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return Activation("relu", name=f"{name}_act")(x)


def _separable(x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    return _bn(SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x), name)


def _block(x: SymbolicTensor, filters: tuple[int, ...], halves: bool, number: int) -> SymbolicTensor:
    """Separable convolutions, each after its activation, with a shortcut around them; in some, half of the image."""
    shortcut = x
    if halves:
        shortcut = BatchNormalization()(Conv2D(filters[-1], 1, strides=2, padding="same", use_bias=False)(x))
    for i, count in enumerate(filters, 1):
        name = f"block{number}_sepconv{i}"
        if (number, i) != (2, 1):  # block 1 has ended in one
            x = _relu(x, name)
        x = _separable(x, count, name)
    if halves:
        x = MaxPooling2D(3, 2, padding="same", name=f"block{number}_pool")(x)
    return Add()([x, shortcut])


Xception = member("Xception", "36 convolutions beside those of the shortcuts, 34 of them separable", _body)
