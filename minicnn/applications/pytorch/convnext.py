"""ConvNeXt (Liu et al., "A ConvNet for the 2020s", 2022): the same function as Keras' network on prepared pictures.

The layer scale of a block is a tensor of the block itself, not of a module in it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from minicnn.layers import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    LayerNormalization,
    LayerScale,
    SymbolicTensor,
)

from .network import Network

EPSILON = 1e-6
FIRST_SCALE = 1e-6
EXPANSION = 4
SIZES = {  # (blocks of each stage, channels of the first)
    "tiny": ((3, 3, 9, 3), 96),
    "small": ((3, 3, 27, 3), 96),
    "base": ((3, 3, 27, 3), 128),
    "large": ((3, 3, 27, 3), 192),
    "xlarge": ((3, 3, 27, 3), 256),
}


class Naming(NamedTuple):
    """How a package names modules; a block's parts are its depthwise convolution, normalisation and dense layers."""

    stem: tuple[str, str]  # convolution, normalisation
    downsampling: Callable[[int], str]  # before a stage
    block: Callable[[int, int], str]  # of a stage
    parts: tuple[str, str, str, str]
    head: tuple[str, str]  # normalisation, dense layer


NAMES = {
    "torchvision": Naming(
        ("features.0.0", "features.0.1"),
        lambda stage: f"features.{2 * stage}",
        lambda stage, number: f"features.{2 * stage + 1}.{number}",
        ("block.0", "block.2", "block.3", "block.5"),
        ("classifier.0", "classifier.2"),
    ),
    "timm": Naming(
        ("stem.0", "stem.1"),
        lambda stage: f"stages.{stage}.downsample",
        lambda stage, number: f"stages.{stage}.blocks.{number}",
        ("conv_dw", "norm", "mlp.fc1", "mlp.fc2"),
        ("head.norm", "head.fc"),
    ),
}


def network(package: str, size: str) -> Network:
    """Four stages of blocks, with a convolution of stride 2 before each but the first."""
    names = NAMES[package]
    depths, channels = SIZES[size]
    body = partial(_body, depths=depths, channels=channels, names=names)
    return Network(f"{package}.convnext_{size}", body, partial(_head, names=names.head))


def _head(x: SymbolicTensor, classes: int, activation: str | None, names: tuple[str, str]) -> SymbolicTensor:
    norm, last = names
    x = LayerNormalization(epsilon=EPSILON, name=norm)(GlobalAveragePooling2D(name="avgpool")(x))
    return Dense(classes, activation=activation, name=last)(x)


def _body(x: SymbolicTensor, depths: tuple[int, ...], channels: int, names: Naming) -> SymbolicTensor:
    conv, norm = names.stem
    x = LayerNormalization(epsilon=EPSILON, name=norm)(Conv2D(channels, 4, strides=4, name=conv)(x))
    for stage, depth in enumerate(depths):
        if stage:
            name = names.downsampling(stage)
            x = LayerNormalization(epsilon=EPSILON, name=f"{name}.0")(x)
            x = Conv2D(channels * 2**stage, 2, strides=2, name=f"{name}.1")(x)
        for number in range(depth):
            x = _block(x, names.block(stage, number), names.parts)
    return x


def _block(inputs: SymbolicTensor, name: str, parts: tuple[str, str, str, str]) -> SymbolicTensor:
    depthwise, norm, first, second = (f"{name}.{part}" for part in parts)
    channels: Any = inputs.shape[3]
    x = DepthwiseConv2D(7, padding="same", name=depthwise)(inputs)
    x = LayerNormalization(epsilon=EPSILON, name=norm)(x)
    x = Dense(EXPANSION * channels, activation="gelu", name=first)(x)
    x = LayerScale(FIRST_SCALE, channels, name=name)(Dense(channels, name=second)(x))
    return Add(name=f"{name}.add")([inputs, x])
