"""MobileNetV2, MobileNetV3, EfficientNet and EfficientNetV2: stages of inverted residuals, told as data.

A block is up to four parts: a 1x1 convolution that widens, a depthwise one, squeeze-and-excitation, a 1x1 convolution
that projects.  A fused block has one whole convolution in place of the first two.

Sources: Sandler et al., 2018, table 2; Howard et al., "Searching for MobileNetV3", 2019, tables 1 and 2; Tan & Le,
"EfficientNet", 2019, table 1, and "EfficientNetV2", 2021, table 4.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from minicnn.layers import Activation, Add, Conv2D, Dense, Dropout, GlobalAveragePooling2D, Multiply, SymbolicTensor

from ..family import Body, Top
from .network import EPSILON, convolution, depthwise, normalized

Names = tuple[str, str]  # of a convolution and its normalisation, or of the two convolutions of squeeze-and-excitation


@dataclass(frozen=True)
class Block:
    """One block: the depthwise (or fused) kernel's size and stride, and numbers of channels."""

    size: int
    stride: int
    channels: int
    expanded: int
    filters: int
    squeezed: int = 0
    activation: str = "silu"
    fused: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        widened = self.expanded != self.channels
        if self.fused:
            return ("fused", "project") if widened else ("fused",)
        squeeze = ("squeeze",) if self.squeezed else ()
        return (*(("expand",) if widened else ()), "depthwise", *squeeze, "project")


@dataclass(frozen=True)
class Design:
    """An architecture: filters of the first and the last convolution, and the blocks of each stage between them.

    `squeeze` are the two activations of squeeze-and-excitation; a `last` convolution of 0 filters is in the head.
    """

    stem: int
    stages: Sequence[Sequence[Block]]
    last: int
    activation: str = "silu"
    squeeze: tuple[str, str] = ("silu", "sigmoid")
    epsilon: float = EPSILON


@dataclass(frozen=True)
class Naming:
    """How a package names modules; `block` names the parts of one, from its stage, its number there and overall."""

    stem: Names
    last: Callable[[int, int], Names]
    block: Callable[[int, int, int, tuple[str, ...]], list[Names]]


def body(design: Design, naming: Naming) -> Body:
    """From images to the last convolution's features."""
    return partial(_body, design=design, naming=naming)


def head(last: str, first: str | None = None, units: int = 0) -> Top:
    """The mean of each channel and a dense layer, named `last`; MobileNetV3 has another one of `units` before it."""
    return partial(_head, last=last, first=first, units=units)


def _head(
    x: SymbolicTensor, classes: int, activation: str | None, last: str, first: str | None, units: int
) -> SymbolicTensor:
    x = GlobalAveragePooling2D(name="avgpool")(x)
    if first is not None:
        x = Dense(units, activation="hard_swish", name=first)(x)
    return Dense(classes, activation=activation, name=last)(Dropout(0.2, name=f"{last}.dropout")(x))


def _body(x: SymbolicTensor, design: Design, naming: Naming) -> SymbolicTensor:
    conv, norm = naming.stem
    x = normalized(convolution(x, design.stem, 3, conv, 2), norm, design.activation, design.epsilon)
    overall = 0
    for stage, blocks in enumerate(design.stages):
        for number, block in enumerate(blocks):
            names = naming.block(stage, number, overall, block.parts)
            x = _block(x, block, names, design)
            overall += 1
    conv, norm = naming.last(len(design.stages), overall)
    return normalized(convolution(x, design.last, 1, conv), norm, design.activation, design.epsilon)


def _block(inputs: SymbolicTensor, block: Block, names: list[Names], design: Design) -> SymbolicTensor:
    x = inputs
    for part, (first, second) in zip(block.parts, names):
        if part == "squeeze":
            x = _squeezed(x, block, first, second, design.squeeze)
            continue
        activation = None if part == "project" else block.activation
        if part == "depthwise":
            y = depthwise(x, block.size, first, block.stride)
        elif part == "fused":
            filters = block.expanded if "project" in block.parts else block.filters
            y = convolution(x, filters, block.size, first, block.stride)
        else:
            y = convolution(x, block.expanded if part == "expand" else block.filters, 1, first)
        x = normalized(y, second, activation, design.epsilon)
    if block.stride == 1 and block.channels == block.filters:
        return Add(name=f"{names[-1][1]}.add")([inputs, x])
    return x


def _squeezed(x: SymbolicTensor, block: Block, first: str, second: str, activations: tuple[str, str]) -> SymbolicTensor:
    """x times a weight for each channel, made of the means of all channels (Hu et al., 2018)."""
    inner, gate = activations
    weights = GlobalAveragePooling2D(keepdims=True, name=f"{first}.mean")(x)
    weights = Activation(inner, name=f"{first}.{inner}")(Conv2D(block.squeezed, 1, name=first)(weights))
    weights = Activation(gate, name=f"{second}.{gate}")(Conv2D(block.expanded, 1, name=second)(weights))
    return Multiply(name=f"{second}.scale")([x, weights])


def divisible(channels: float) -> int:
    """The nearest multiple of 8, but at least 8, and no more than a tenth below."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


# MobileNetV2: (expansion, filters, blocks, stride)
V2_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v2(width: float = 1.0) -> Design:
    """MobileNetV2 of a width."""
    channels = stem = divisible(32 * width)
    stages = []
    for expansion, filters, count, stride in V2_STAGES:
        stage = []
        for number in range(count):
            out = divisible(filters * width)
            sizes = channels, expansion * channels, out
            stage.append(Block(3, stride if number == 0 else 1, *sizes, activation="relu6"))
            channels = out
        stages.append(stage)
    return Design(stem, stages, divisible(1280 * max(1.0, width)), "relu6")


# MobileNetV3: stages of (kernel, expanded, filters, squeeze-and-excitation, activation, stride)
V3_LARGE: Any = (
    ((3, 16, 16, False, "relu", 1),),
    ((3, 64, 24, False, "relu", 2), (3, 72, 24, False, "relu", 1)),
    ((5, 72, 40, True, "relu", 2), (5, 120, 40, True, "relu", 1), (5, 120, 40, True, "relu", 1)),
    (
        (3, 240, 80, False, "hard_swish", 2),
        (3, 200, 80, False, "hard_swish", 1),
        (3, 184, 80, False, "hard_swish", 1),
        (3, 184, 80, False, "hard_swish", 1),
    ),
    ((3, 480, 112, True, "hard_swish", 1), (3, 672, 112, True, "hard_swish", 1)),
    (
        (5, 672, 160, True, "hard_swish", 2),
        (5, 960, 160, True, "hard_swish", 1),
        (5, 960, 160, True, "hard_swish", 1),
    ),
)
V3_SMALL: Any = (
    ((3, 16, 16, True, "relu", 2),),
    ((3, 72, 24, False, "relu", 2), (3, 88, 24, False, "relu", 1)),
    ((5, 96, 40, True, "hard_swish", 2), (5, 240, 40, True, "hard_swish", 1), (5, 240, 40, True, "hard_swish", 1)),
    ((5, 120, 48, True, "hard_swish", 1), (5, 144, 48, True, "hard_swish", 1)),
    ((5, 288, 96, True, "hard_swish", 2), (5, 576, 96, True, "hard_swish", 1), (5, 576, 96, True, "hard_swish", 1)),
)


def mobilenet_v3(table: Any, epsilon: float) -> Design:
    """MobileNetV3 of one of the two tables; its last convolution has six times the filters of the last block."""
    channels, stages = 16, []
    for rows in table:
        stage = []
        for size, expanded, filters, squeeze, activation, stride in rows:
            squeezed = divisible(expanded // 4) if squeeze else 0
            stage.append(Block(size, stride, channels, expanded, filters, squeezed, activation))
            channels = filters
        stages.append(stage)
    return Design(16, stages, 6 * channels, "hard_swish", ("relu", "hard_sigmoid"), epsilon)


# EfficientNet: (expansion, kernel, stride, filters, blocks); B0 to B7: (width, depth)
V1_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
B_SIZES = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8), (1.6, 2.2), (1.8, 2.6), (2.0, 3.1))

# EfficientNetV2: filters of the first convolution, fused stages, others
V2_SIZES = {
    "s": (
        24,
        ((1, 3, 1, 24, 2), (4, 3, 2, 48, 4), (4, 3, 2, 64, 4)),
        ((4, 3, 2, 128, 6), (6, 3, 1, 160, 9), (6, 3, 2, 256, 15)),
    ),
    "m": (
        24,
        ((1, 3, 1, 24, 3), (4, 3, 2, 48, 5), (4, 3, 2, 80, 5)),
        ((4, 3, 2, 160, 7), (6, 3, 1, 176, 14), (6, 3, 2, 304, 18), (6, 3, 1, 512, 5)),
    ),
    "l": (
        32,
        ((1, 3, 1, 32, 4), (4, 3, 2, 64, 7), (4, 3, 2, 96, 7)),
        ((4, 3, 2, 192, 10), (6, 3, 1, 224, 19), (6, 3, 2, 384, 25), (6, 3, 1, 640, 7)),
    ),
}


def efficientnet(number: int, epsilon: float = EPSILON) -> Design:
    """EfficientNet B0 to B7."""
    width, depth = B_SIZES[number]
    rows = [(e, k, s, divisible(f * width), math.ceil(n * depth)) for e, k, s, f, n in V1_STAGES]
    stem = divisible(32 * width)
    return Design(stem, _stages(stem, [(row, False) for row in rows]), divisible(1280 * width), epsilon=epsilon)


def efficientnet_v2(size: str, epsilon: float = EPSILON) -> Design:
    """EfficientNetV2 S, M and L."""
    stem, fused, others = V2_SIZES[size]
    rows = [*((row, True) for row in fused), *((row, False) for row in others)]
    return Design(stem, _stages(stem, rows), 1280, epsilon=epsilon)


def _stages(channels: int, rows: Sequence[tuple[tuple[int, ...], bool]]) -> list[list[Block]]:
    stages = []
    for (expansion, size, stride, filters, count), fused in rows:
        stage = []
        for number in range(count):
            squeezed = 0 if fused else max(1, channels // 4)
            sizes = channels, divisible(expansion * channels), filters, squeezed
            stage.append(Block(size, stride if number == 0 else 1, *sizes, fused=fused))
            channels = filters
        stages.append(stage)
    return stages
