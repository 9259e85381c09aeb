"""InceptionV3 (Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016).

Convolutions of several sizes look at the same input side by side, and their maps are joined.  Large windows are made of
small ones: 5x5 as two of 3x3 (figure 5), nxn as 1xn and nx1 (figure 6), and near the end 1x3 and 3x1 side by side
(figure 7).  Where the image becomes smaller, strided convolutions and a pooling share the work (figure 10).

Keras keeps one 5x5 window in each of the first three modules, and has no auxiliary classifier.  No convolution has a
bias and no normalisation a scale, which the next convolution can learn.  Convolutions, normalisations and activations
have Keras' automatic names, which count on from earlier models.
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
)
from minicnn.preparation import modes

from .family import member
from .labels import decode_predictions

MODE = "tf"
VALID = "valid"

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as Inception takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _body(x: SymbolicTensor) -> SymbolicTensor:
    x = stem(x)
    for number, filters in enumerate((32, 64, 64)):
        x = _mixed35(x, filters, f"mixed{number}")
    halved = chain(x, (384, 3, 2, VALID)), chain(x, (64, 1), (96, 3), (96, 3, 2, VALID)), MaxPooling2D(3, 2)(x)
    x = Concatenate(name="mixed3")(list(halved))
    for number, filters in enumerate((128, 160, 160, 192), 4):
        x = _mixed17(x, filters, f"mixed{number}")
    narrow = chain(x, (192, 1), (320, 3, 2, VALID))
    wide = chain(x, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, VALID))
    x = Concatenate(name="mixed8")([narrow, wide, MaxPooling2D(3, 2)(x)])
    for number in range(2):
        x = _mixed8(x, f"mixed9_{number}", f"mixed{9 + number}")
    return x


def conv_bn(
    x: SymbolicTensor,
    filters: int,
    size: int | tuple[int, int],
    strides: int = 1,
    padding: str = "same",
    name: str | None = None,
) -> SymbolicTensor:
    """A convolution without bias, a normalisation without scale, and a ReLU."""
    x = Conv2D(filters, size, strides=strides, padding=padding, use_bias=False, name=name)(x)
    x = BatchNormalization(scale=False, name=name and f"{name}_bn")(x)
    return Activation("relu", name=name and f"{name}_ac")(x)


def chain(x: SymbolicTensor, *steps: tuple[Any, ...]) -> SymbolicTensor:
    """Convolutions one after another; a step is (filters, size), with strides and padding where they are others."""
    for step in steps:
        x = conv_bn(x, *step)
    return x


def averaged(x: SymbolicTensor, filters: int) -> SymbolicTensor:
    """The branch that a module begins with an average over 3x3 pixels."""
    return conv_bn(AveragePooling2D(3, 1, "same")(x), filters, 1)


def stem(x: SymbolicTensor) -> SymbolicTensor:
    """From pixels to 192 maps of 35x35 (of 299x299 pixels), as in table 1."""
    x = MaxPooling2D(3, 2)(chain(x, (32, 3, 2, VALID), (32, 3, 1, VALID), (64, 3)))
    return MaxPooling2D(3, 2)(chain(x, (80, 1, 1, VALID), (192, 3, 1, VALID)))


def _mixed35(x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    """A module for maps of 35x35."""
    branches = chain(x, (64, 1)), chain(x, (48, 1), (64, 5)), chain(x, (64, 1), (96, 3), (96, 3)), averaged(x, filters)
    return Concatenate(name=name)(list(branches))


def _mixed17(x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    """A module for maps of 17x17: 7x7 windows of rows and columns."""
    single = chain(x, (192, 1))
    once = chain(x, (filters, 1), (filters, (1, 7)), (192, (7, 1)))
    twice = chain(x, *((filters, size) for size in (1, (7, 1), (1, 7), (7, 1))), (192, (1, 7)))
    return Concatenate(name=name)([single, once, twice, averaged(x, 192)])


def _mixed8(x: SymbolicTensor, inner: str, name: str) -> SymbolicTensor:
    """A module for maps of 8x8: rows and columns side by side."""
    single = chain(x, (320, 1))
    once = _side_by_side(chain(x, (384, 1)), inner)
    twice = _side_by_side(chain(x, (448, 1), (384, 3)))
    return Concatenate(name=name)([single, once, twice, averaged(x, 192)])


def _side_by_side(x: SymbolicTensor, name: str | None = None) -> SymbolicTensor:
    return Concatenate(name=name)([conv_bn(x, 384, (1, 3)), conv_bn(x, 384, (3, 1))])


InceptionV3 = member("InceptionV3", "11 modules, mixed0 to mixed10", _body, model_name="inception_v3")
