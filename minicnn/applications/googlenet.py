"""GoogLeNet (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1), as torchvision builds it.

A module looks at its input with windows of 1x1, 3x3 and 5x5 pixels and with a pooling, side by side, and joins the
maps.  1x1 convolutions before the large windows and after the pooling keep the number of channels small (figure 2b).

What differs from the paper: a normalisation follows each convolution, which then has no bias, in place of the
normalisation of neighbouring channels; the third branch has windows of 3x3, not 5x5; the last pooling between modules
has windows of 2x2; the dropout has rate 0.2, not 0.4; there are no auxiliary classifiers.

Layers are called as in torchvision, with _ in place of its dots: `inception3a_branch2_1_conv` has the weights of
`inception3a.branch2.1.conv`, and `predictions` those of `fc`.  The weights that torchvision publishes take pictures in
mode "tf": its `transform_input` makes them so of what was prepared in mode "torch".  No weights file of Keras exists
for it: `weights="imagenet"` is refused.
"""

from typing import Any

from minicnn.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.preparation import modes

from .family import member
from .labels import decode_predictions

MODE = "tf"
# Filters of the 1x1 branch; before and of the second; before and of the third; after the pooling (table 1).
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLS = {"3b": (3, "maxpool3"), "4e": (2, "maxpool4")}  # after these: (size, name)

__all__ = ["GoogLeNet", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as GoogLeNet takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _body(x: SymbolicTensor) -> SymbolicTensor:
    x = _conv_bn(ZeroPadding2D(3, name="conv1_pad")(x), 64, 7, "conv1", strides=2)
    x = _conv_bn(_pool(x, 3, "maxpool1"), 64, 1, "conv2")
    x = _pool(_conv_bn(x, 192, 3, "conv3", padding="same"), 3, "maxpool2")
    for number, filters in MODULES.items():
        x = _inception(x, filters, f"inception{number}")
        if number in POOLS:
            x = _pool(x, *POOLS[number])
    return x


def _top(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    x = Dropout(0.2, name="dropout")(GlobalAveragePooling2D(name="avg_pool")(x))
    return Dense(classes, activation=activation, name="predictions")(x)


def _conv_bn(x: SymbolicTensor, filters: int, size: int, name: str, **options: Any) -> SymbolicTensor:
    x = Conv2D(filters, size, use_bias=False, name=f"{name}_conv", **options)(x)
    return Activation("relu", name=f"{name}_relu")(BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x))


def _pool(x: SymbolicTensor, size: int, name: str) -> SymbolicTensor:
    """At stride 2; the last window may reach beyond x, where zeros are never larger than what a ReLU has left."""
    return MaxPooling2D(size, 2, name=name)(ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x))


def _inception(x: SymbolicTensor, filters: tuple[int, ...], name: str) -> SymbolicTensor:
    single, reduced3, second, reduced5, third, projected = filters
    largest = MaxPooling2D(3, 1, "same", name=f"{name}_branch4_0")(x)
    branches = [
        _conv_bn(x, single, 1, f"{name}_branch1"),
        _reduced(x, reduced3, second, f"{name}_branch2"),
        _reduced(x, reduced5, third, f"{name}_branch3"),
        _conv_bn(largest, projected, 1, f"{name}_branch4_1"),
    ]
    return Concatenate(name=f"{name}_concat")(branches)


def _reduced(x: SymbolicTensor, narrow: int, filters: int, name: str) -> SymbolicTensor:
    """Few channels, then a window of 3x3."""
    return _conv_bn(_conv_bn(x, narrow, 1, f"{name}_0"), filters, 3, f"{name}_1", padding="same")


GoogLeNet = member("GoogLeNet", "9 modules", _body, _top)
