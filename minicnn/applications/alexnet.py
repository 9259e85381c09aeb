"""AlexNet as torchvision builds it: five convolutions and three dense layers.

It follows Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.
The network of the ImageNet challenge (Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional
Neural Networks", NIPS 2012, figure 2) lay on two GPUs: its second, fourth and fifth convolutions were in two groups, it
had 96, 256, 384, 384 and 256 filters, and it normalised the responses of neighbouring channels after the first two.
This one has 64, 192, 384, 256 and 256 filters, no groups and no response normalisation.

The first dense layer fits the input's size, as in VGG16; torchvision averages the features to 6x6 instead, which is
the same for 224x224.  Its rows are in the order (H,W,C), torchvision's in (C,H,W).
"""

from typing import Any

from minicnn.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D, SymbolicTensor, ZeroPadding2D
from minicnn.preparation import modes

from .family import member
from .labels import decode_predictions

MODE = "torch"

__all__ = ["AlexNet", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as AlexNet takes it: x / 255, minus the mean, divided by the deviation of each channel."""
    return modes.preprocess_input(x, MODE)


def _body(x: SymbolicTensor) -> SymbolicTensor:
    x = ZeroPadding2D(2, name="conv1_pad")(x)
    x = Conv2D(64, 11, strides=4, activation="relu", name="conv1")(x)
    x = MaxPooling2D(3, 2, name="pool1")(x)
    x = Conv2D(192, 5, padding="same", activation="relu", name="conv2")(x)
    x = MaxPooling2D(3, 2, name="pool2")(x)
    for number, filters in enumerate((384, 256, 256), 3):
        x = Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")(x)
    return MaxPooling2D(3, 2, name="pool5")(x)


def _top(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    x = Flatten(name="flatten")(x)
    for name in ("fc6", "fc7"):
        x = Dropout(0.5, name=f"{name}_dropout")(x)
        x = Dense(4096, activation="relu", name=name)(x)
    return Dense(classes, activation=activation, name="predictions")(x)


AlexNet = member("AlexNet", "Five convolutions and three dense layers", _body, _top)
