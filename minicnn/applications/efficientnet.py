"""EfficientNetB0 to B7 (Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019).

B0 was found by a search (table 1).  The others are B0 with more channels, more blocks and larger pictures, all three
growing together (section 3.3).  A block is that of MobileNetV2 with swish, and with a gate for each channel that looks
at the whole image (squeeze-and-excitation).  The nets take pixels 0..255 and scale them by themselves.

The published weights were trained with pixels divided by what is stored as their variance, not by its root, so for them
alone there is one more layer, which divides by the root again.

>>> from minicnn.applications import EfficientNetB0
>>> EfficientNetB0(weights=None, include_top=False).count_params()
4049571
"""

import math
from typing import Any

from minicnn.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.models import Model
from minicnn.preparation import modes
from minicnn.weights.architectures import architecture

from .family import (
    IMAGENET_DEVIATION,
    Builder,
    Weights,
    are_published,
    described,
    divisible,
    finish,
    image_input,
    pooled,
    strided_padding,
)
from .labels import decode_predictions

MODE = "none"
STAGES = (  # taps, blocks, filters, expansion, stride: table 1
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
DROP_CONNECT = 0.2  # the rate at which the last block is left out while training; earlier ones less
KERNEL = {"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_out"}}
CLASSIFIER = {"class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_out", "distribution": "uniform"}}

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as EfficientNet takes it, which is as it is."""
    return modes.preprocess_input(x, MODE)


def _member(name: str, width: float, depth: float, dropout: float) -> Builder:
    """The builder of one size of the family."""
    side = architecture(name).side

    def build(
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
    ) -> Model:
        inputs = image_input(input_shape, side, 32, include_top, input_tensor)
        x = _stem(inputs, divisible(32 * width), are_published(weights, name))
        x = _blocks(x, width, depth)
        x = convolved(x, divisible(1280 * width), 1, "top_", padding="same")
        x = classified(x, dropout, classes, classifier_activation) if include_top else pooled(x, pooling, named=True)
        return finish(Model(inputs, x, name=name.lower()), name, weights, include_top, classes, MODE)

    return described(build, name, f"Channels times {width:g}, blocks times {depth:g}")


def _stem(x: SymbolicTensor, filters: int, published: bool) -> SymbolicTensor:
    """Pixels to numbers around 0, and the first convolution."""
    x = Normalization(axis=3)(Rescaling(1 / 255)(x))
    if published:
        x = Rescaling([1 / math.sqrt(deviation) for deviation in IMAGENET_DEVIATION])(x)
    x = ZeroPadding2D(strided_padding(x, 3), name="stem_conv_pad")(x)
    return convolved(x, filters, 3, "stem_", strides=2)


def _blocks(x: SymbolicTensor, width: float, depth: float) -> SymbolicTensor:
    counts = [math.ceil(depth * blocks) for _, blocks, *_ in STAGES]
    number, total = 0, sum(counts)
    for stage, (count, (taps, _, filters, expansion, stride)) in enumerate(zip(counts, STAGES), 1):
        for position in range(count):
            name, step = f"block{stage}{chr(ord('a') + position)}_", stride if position == 0 else 1
            drop = DROP_CONNECT * number / total
            x = _block(x, divisible(filters * width), taps, step, expansion, drop, name)
            number += 1
    return x


def _block(
    inputs: SymbolicTensor, filters: int, taps: int, stride: int, expansion: int, drop: float, name: str
) -> SymbolicTensor:
    """Expansion, a filter of each channel, its gate, and projection; a shortcut around them where the shape stays."""
    channels: Any = inputs.shape[3]
    x, padding = inputs, "same"
    if expansion != 1:
        x = convolved(x, channels * expansion, 1, f"{name}expand_", padding="same")
    if stride == 2:
        x, padding = ZeroPadding2D(strided_padding(x, taps), name=f"{name}dwconv_pad")(x), "valid"
    options = {"use_bias": False, "depthwise_initializer": KERNEL, "name": f"{name}dwconv"}
    x = normalized(DepthwiseConv2D(taps, strides=stride, padding=padding, **options)(x), name)
    x = gated(x, max(1, channels // 4), name)
    x = convolved(x, filters, 1, f"{name}project_", active=False, padding="same")
    return shortcut(x, inputs, drop, name) if stride == 1 and channels == filters else x


def normalized(x: SymbolicTensor, name: str, active: bool = True, momentum: float = 0.99) -> SymbolicTensor:
    """Batch normalisation, and swish after it."""
    x = BatchNormalization(momentum=momentum, name=f"{name}bn")(x)
    return Activation("swish", name=f"{name}activation")(x) if active else x


def convolved(
    x: SymbolicTensor, filters: int, taps: int, name: str, active: bool = True, momentum: float = 0.99, **options: Any
) -> SymbolicTensor:
    """A convolution without bias, batch normalisation, and swish after it."""
    x = Conv2D(filters, taps, use_bias=False, kernel_initializer=KERNEL, name=f"{name}conv", **options)(x)
    return normalized(x, name, active, momentum)


def gated(x: SymbolicTensor, squeezed: int, name: str) -> SymbolicTensor:
    """Each channel times a number in (0, 1), which two dense layers make of the means of all channels over the image.

    Source: Hu et al., "Squeeze-and-Excitation Networks", 2018, section 3.
    """
    channels: Any = x.shape[3]
    gate = Reshape((1, 1, channels), name=f"{name}se_reshape")(GlobalAveragePooling2D(name=f"{name}se_squeeze")(x))
    for filters, activation, role in ((squeezed, "swish", "reduce"), (channels, "sigmoid", "expand")):
        options = {"padding": "same", "kernel_initializer": KERNEL, "name": f"{name}se_{role}"}
        gate = Conv2D(filters, 1, activation=activation, **options)(gate)
    return Multiply(name=f"{name}se_excite")([x, gate])


def shortcut(x: SymbolicTensor, inputs: SymbolicTensor, drop: float, name: str) -> SymbolicTensor:
    """What a block made, and its input; while training, the block is left out of some samples."""
    if drop:
        x = Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return Add(name=f"{name}add")([x, inputs])


def classified(x: SymbolicTensor, dropout: float, classes: int, activation: str | None) -> SymbolicTensor:
    """The top: a dense layer on the mean over the image."""
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    x = Dropout(dropout, name="top_dropout")(x)
    return Dense(classes, activation=activation, kernel_initializer=CLASSIFIER, name="predictions")(x)


EfficientNetB0 = _member("EfficientNetB0", 1.0, 1.0, 0.2)
EfficientNetB1 = _member("EfficientNetB1", 1.0, 1.1, 0.2)
EfficientNetB2 = _member("EfficientNetB2", 1.1, 1.2, 0.3)
EfficientNetB3 = _member("EfficientNetB3", 1.2, 1.4, 0.3)
EfficientNetB4 = _member("EfficientNetB4", 1.4, 1.8, 0.4)
EfficientNetB5 = _member("EfficientNetB5", 1.6, 2.2, 0.4)
EfficientNetB6 = _member("EfficientNetB6", 1.8, 2.6, 0.5)
EfficientNetB7 = _member("EfficientNetB7", 2.0, 3.1, 0.5)
