"""SqueezeNet 1.0 and 1.1 (Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016).

A fire module squeezes its input to few channels by a 1x1 convolution, and expands these by 1x1 and 3x3 convolutions
side by side (section 3.2).  There is no dense layer: a 1x1 convolution makes a map for each class, and the mean of the
map is the score.  Version 1.1, by the same authors, has a smaller first convolution and pools earlier, for 2.4 times
less arithmetic.

They are torchvision's networks.  Nothing is padded before the first convolution, so that conv1 of version 1.0 makes
109x109 maps of 224x224 pixels where the paper has 111x111; and a pooling takes in the last row and column even where
its window reaches beyond them.
"""

from functools import partial
from typing import Any

from minicnn.layers import (
    Activation,
    Concatenate,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.preparation import modes

from .family import member
from .labels import decode_predictions

MODE = "torch"
EXPANSION = 4
SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)  # channels between the convolutions of fire2 to fire9

__all__ = ["SqueezeNet1_0", "SqueezeNet1_1", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as SqueezeNet takes it: x / 255, minus the mean, divided by the deviation of each channel."""
    return modes.preprocess_input(x, MODE)


def _pool(x: SymbolicTensor, number: int) -> SymbolicTensor:
    """3x3 at stride 2; the last window may reach beyond x, where zeros are never larger than what a ReLU has left."""
    x = ZeroPadding2D(((0, 1), (0, 1)), name=f"pool{number}_pad")(x)
    return MaxPooling2D(3, 2, name=f"pool{number}")(x)


def _fire(x: SymbolicTensor, squeezed: int, name: str) -> SymbolicTensor:
    x = Conv2D(squeezed, 1, activation="relu", name=f"{name}_squeeze")(x)
    filters = EXPANSION * squeezed
    narrow = Conv2D(filters, 1, activation="relu", name=f"{name}_expand1x1")(x)
    wide = Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_expand3x3")(x)
    return Concatenate(name=f"{name}_concat")([narrow, wide])


def _body(x: SymbolicTensor, filters: int, size: int, pools: tuple[int, ...]) -> SymbolicTensor:
    """A convolution of a size, and the modules fire2 to fire9, with poolings after those of these numbers."""
    x = _pool(Conv2D(filters, size, strides=2, activation="relu", name="conv1")(x), 1)
    for number, squeezed in enumerate(SQUEEZED, 2):
        x = _fire(x, squeezed, f"fire{number}")
        if number in pools:
            x = _pool(x, number)
    return x


def _top(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    x = Dropout(0.5, name="dropout")(x)
    x = Conv2D(classes, 1, activation="relu", name="conv10")(x)
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    return Activation(activation, name="predictions")(x)


SqueezeNet1_0 = member(
    "SqueezeNet1_0",
    "96 filters of 7x7 first, pooling after conv1, fire4 and fire8",
    partial(_body, filters=96, size=7, pools=(4, 8)),
    _top,
)
SqueezeNet1_1 = member(
    "SqueezeNet1_1",
    "64 filters of 3x3 first, pooling after conv1, fire3 and fire5",
    partial(_body, filters=64, size=3, pools=(3, 5)),
    _top,
)
