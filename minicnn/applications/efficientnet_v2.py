"""EfficientNetV2 (Tan & Le, "EfficientNetV2: Smaller Models and Faster Training", 2021): B0 to B3, S, M and L.

Depthwise convolutions are few operations but slow in the first stages, where images are large.  There a block is
"fused": one 3x3 convolution takes the place of the expansion and the filter of each channel (section 3.2 and table 4).
The nets scale pixels 0..255 by themselves, unless `include_preprocessing` is False.

>>> from minicnn.applications import EfficientNetV2B0
>>> EfficientNetV2B0(weights=None, include_top=False).count_params()
5919312
"""

import math
from functools import partial
from typing import Any, NamedTuple

from minicnn.layers import DepthwiseConv2D, Normalization, Rescaling, SymbolicTensor
from minicnn.models import Model
from minicnn.preparation import modes
from minicnn.weights.architectures import architecture

from . import efficientnet
from .efficientnet import DROP_CONNECT, KERNEL, classified, gated, shortcut
from .family import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Builder,
    Weights,
    described,
    finish,
    image_input,
    multiple_of_8,
    pooled,
)
from .labels import decode_predictions

MODE = "none"
DROPOUT = 0.2
MOMENTUM = 0.9
VARIANCE = [deviation**2 for deviation in IMAGENET_DEVIATION]

normalized = partial(efficientnet.normalized, momentum=MOMENTUM)
convolved = partial(efficientnet.convolved, momentum=MOMENTUM, padding="same")

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]


class Stage(NamedTuple):
    """Blocks of one size of the image: fused or not, expansion, stride of the first, filters and number."""

    fused: bool
    expansion: int
    stride: int
    filters: int
    blocks: int


def _stages(*fused: tuple[int, ...], gated: tuple[tuple[int, ...], ...]) -> tuple[Stage, ...]:
    return tuple(Stage(True, *row) for row in fused) + tuple(Stage(False, *row) for row in gated)


B = _stages((1, 1, 16, 1), (4, 2, 32, 2), (4, 2, 48, 2), gated=((4, 2, 96, 3), (6, 1, 112, 5), (6, 2, 192, 8)))
S = _stages((1, 1, 24, 2), (4, 2, 48, 4), (4, 2, 64, 4), gated=((4, 2, 128, 6), (6, 1, 160, 9), (6, 2, 256, 15)))
M = _stages(
    (1, 1, 24, 3),
    (4, 2, 48, 5),
    (4, 2, 80, 5),
    gated=((4, 2, 160, 7), (6, 1, 176, 14), (6, 2, 304, 18), (6, 1, 512, 5)),
)
L = _stages(
    (1, 1, 32, 4),
    (4, 2, 64, 7),
    (4, 2, 96, 7),
    gated=((4, 2, 192, 10), (6, 1, 224, 19), (6, 2, 384, 25), (6, 1, 640, 7)),
)
STEMS = {B: 32, S: 24, M: 24, L: 32}


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as EfficientNetV2 takes it, which is as it is."""
    return modes.preprocess_input(x, MODE)


def _member(name: str, stages: tuple[Stage, ...], width: float, depth: float) -> Builder:
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
        include_preprocessing: bool = True,
    ) -> Model:
        inputs = image_input(input_shape, side, 32, include_top, input_tensor)
        by_statistics = stages is B and inputs.shape[3] == 3
        x = _scaled(inputs, by_statistics) if include_preprocessing else inputs
        x = convolved(x, multiple_of_8(STEMS[stages] * width), 3, "stem_", strides=2)
        x = _blocks(x, stages, width, depth)
        x = convolved(x, multiple_of_8(1280 * width), 1, "top_")
        x = classified(x, DROPOUT, classes, classifier_activation) if include_top else pooled(x, pooling, named=True)
        mode = MODE if include_preprocessing else "torch" if by_statistics else None
        model = Model(inputs, x, name=name.lower().replace("v2", "v2-"))
        return finish(model, name, weights, include_top, classes, mode)

    return described(build, name, f"Channels times {width:g}, blocks times {depth:g}")


def _scaled(x: SymbolicTensor, by_statistics: bool) -> SymbolicTensor:
    """Pixels 0..255 to numbers around 0."""
    if by_statistics:
        return Normalization(axis=3, mean=IMAGENET_MEAN, variance=VARIANCE)(Rescaling(1 / 255)(x))
    return Rescaling(1 / 128, offset=-1)(x)


def _blocks(x: SymbolicTensor, stages: tuple[Stage, ...], width: float, depth: float) -> SymbolicTensor:
    number, total = 0, sum(stage.blocks for stage in stages)  # Keras counts them before depth multiplies them
    for position, stage in enumerate(stages, 1):
        filters, block = multiple_of_8(stage.filters * width), _fused_block if stage.fused else _block
        for repeat in range(math.ceil(depth * stage.blocks)):
            name, stride = f"block{position}{chr(ord('a') + repeat)}_", 1 if repeat else stage.stride
            made = block(x, filters, stride, stage.expansion, name)
            stays = stride == 1 and x.shape[3] == filters
            x = shortcut(made, x, DROP_CONNECT * number / total, name) if stays else made
            number += 1
    return x


def _block(x: SymbolicTensor, filters: int, stride: int, expansion: int, name: str) -> SymbolicTensor:
    """Expansion, a filter of each channel, its gate, and projection."""
    channels: Any = x.shape[3]
    x = convolved(x, channels * expansion, 1, f"{name}expand_")
    options = {"use_bias": False, "depthwise_initializer": KERNEL, "name": f"{name}dwconv2"}
    x = normalized(DepthwiseConv2D(3, strides=stride, padding="same", **options)(x), name)
    x = gated(x, max(1, channels // 4), name)
    return convolved(x, filters, 1, f"{name}project_", active=False)


def _fused_block(x: SymbolicTensor, filters: int, stride: int, expansion: int, name: str) -> SymbolicTensor:
    """Expansion by a 3x3 convolution, and projection; without expansion one 3x3 convolution."""
    channels: Any = x.shape[3]
    if expansion == 1:
        return convolved(x, filters, 3, f"{name}project_", strides=stride)
    x = convolved(x, channels * expansion, 3, f"{name}expand_", strides=stride)
    return convolved(x, filters, 1, f"{name}project_", active=False)


EfficientNetV2B0 = _member("EfficientNetV2B0", B, 1.0, 1.0)
EfficientNetV2B1 = _member("EfficientNetV2B1", B, 1.0, 1.1)
EfficientNetV2B2 = _member("EfficientNetV2B2", B, 1.1, 1.2)
EfficientNetV2B3 = _member("EfficientNetV2B3", B, 1.2, 1.4)
EfficientNetV2S = _member("EfficientNetV2S", S, 1.0, 1.0)
EfficientNetV2M = _member("EfficientNetV2M", M, 1.0, 1.0)
EfficientNetV2L = _member("EfficientNetV2L", L, 1.0, 1.0)
