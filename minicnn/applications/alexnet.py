"""AlexNet as torchvision builds it: five convolutions and three dense layers.

It follows Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.
The network of the ImageNet challenge (Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional
Neural Networks", NIPS 2012, figure 2) lay on two GPUs: its second, fourth and fifth convolutions were in two groups, it
had 96, 256, 384, 384 and 256 filters, and it normalised the responses of neighbouring channels after the first two.
This one has 64, 192, 384, 256 and 256 filters, no groups and no response normalisation.
"""

from typing import Any

from minicnn.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D, ZeroPadding2D
from minicnn.models import Model
from minicnn.preparation import modes

from .family import Weights, finish, image_input, pooled
from .labels import decode_predictions

MODE = "torch"

__all__ = ["AlexNet", "decode_predictions", "preprocess_input"]


def AlexNet(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """61,100,840 weights, 2,469,696 without top.

    The first dense layer fits the input's size, as in VGG16; torchvision averages the features to 6x6 instead, which is
    the same for 224x224.  Its rows are in the order (H,W,C), torchvision's in (C,H,W).

    Parameters
    ----------
    input_shape : (H,W,3), at least 63x63
    others : as VGG16

    Examples
    --------
    >>> from minicnn.applications import AlexNet
    >>> AlexNet(weights=None, include_top=False).count_params()
    2469696
    """
    inputs = image_input(input_shape, 224, 63, include_top, input_tensor)
    x = ZeroPadding2D(2, name="conv1_pad")(inputs)
    x = Conv2D(64, 11, strides=4, activation="relu", name="conv1")(x)
    x = MaxPooling2D(3, 2, name="pool1")(x)
    x = Conv2D(192, 5, padding="same", activation="relu", name="conv2")(x)
    x = MaxPooling2D(3, 2, name="pool2")(x)
    for number, filters in enumerate((384, 256, 256), 3):
        x = Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")(x)
    x = MaxPooling2D(3, 2, name="pool5")(x)
    if include_top:
        x = Flatten(name="flatten")(x)
        for name in ("fc6", "fc7"):
            x = Dropout(0.5, name=f"{name}_dropout")(x)
            x = Dense(4096, activation="relu", name=name)(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(Model(inputs, x, name="alexnet"), "AlexNet", weights, include_top, classes, MODE)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as AlexNet takes it: x / 255, minus the mean, divided by the deviation of each channel."""
    return modes.preprocess_input(x, MODE)
