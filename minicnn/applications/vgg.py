"""VGG16 and VGG19 (Simonyan & Zisserman, "Very Deep Convolutional Networks", 2015, table 1, columns D and E)."""

from functools import partial
from typing import Any

from minicnn.layers import Conv2D, Dense, Flatten, MaxPooling2D, SymbolicTensor
from minicnn.preparation import modes

from .family import member
from .labels import decode_predictions

MODE = "caffe"
FILTERS = (64, 128, 256, 512, 512)

__all__ = ["VGG16", "VGG19", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as VGG takes it: BGR, minus the mean."""
    return modes.preprocess_input(x, MODE)


def _body(x: SymbolicTensor, depths: tuple[int, ...]) -> SymbolicTensor:
    """Five blocks of 3x3 convolutions, each of which ends in a pooling."""
    for block, (filters, depth) in enumerate(zip(FILTERS, depths), 1):
        for number in range(1, depth + 1):
            x = Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{number}")(x)
        x = MaxPooling2D(2, 2, name=f"block{block}_pool")(x)
    return x


def _top(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    x = Flatten(name="flatten")(x)
    x = Dense(4096, activation="relu", name="fc1")(x)
    x = Dense(4096, activation="relu", name="fc2")(x)
    return Dense(classes, activation=activation, name="predictions")(x)


VGG16 = member("VGG16", "13 convolutions and three dense layers", partial(_body, depths=(2, 2, 3, 3, 3)), _top)
VGG19 = member("VGG19", "16 convolutions and three dense layers", partial(_body, depths=(2, 2, 4, 4, 4)), _top)
