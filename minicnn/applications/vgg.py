"""VGG16 and VGG19 (Simonyan & Zisserman, "Very Deep Convolutional Networks", 2015, table 1, columns D and E)."""

from typing import Any

from minicnn.layers import Conv2D, Dense, Flatten, MaxPooling2D
from minicnn.models import Model
from minicnn.preparation import modes

from .family import Weights, finish, image_input, pooled
from .labels import decode_predictions

MODE = "caffe"
FILTERS = (64, 128, 256, 512, 512)

__all__ = ["VGG16", "VGG19", "decode_predictions", "preprocess_input"]


def VGG16(  # Keras' spelling
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """13 convolutions in five blocks, and three dense layers on top; 138,357,544 weights, 14,714,688 without top.

    Parameters
    ----------
    weights : None, "imagenet", or the path of a weight file
    input_shape : (H,W,3), at least 32x32 without the top
    pooling : without the top, None, "avg" or "max"

    Examples
    --------
    >>> from minicnn.applications import VGG16
    >>> VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)).count_params()
    14714688
    """
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _vgg("VGG16", (2, 2, 3, 3, 3), *options)


def VGG19(
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """16 convolutions in five blocks, and three dense layers on top; arguments as VGG16.

    >>> from minicnn.applications import VGG19
    >>> VGG19(weights=None, include_top=False, input_shape=(32, 32, 3)).count_params()
    20024384
    """
    options = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return _vgg("VGG19", (2, 2, 4, 4, 4), *options)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as VGG takes it: BGR, minus the mean."""
    return modes.preprocess_input(x, MODE)


def _vgg(
    name: str,
    depths: tuple[int, ...],
    include_top: bool,
    weights: Weights,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: str | None,
) -> Model:
    inputs = x = image_input(input_shape, 224, 32, include_top, input_tensor)
    for block, (filters, depth) in enumerate(zip(FILTERS, depths), 1):
        for number in range(1, depth + 1):
            x = Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{number}")(x)
        x = MaxPooling2D(2, 2, name=f"block{block}_pool")(x)
    if include_top:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(Model(inputs, x, name=name.lower()), name, weights, include_top, classes, MODE)
