"""ResNet (He et al., 2016, table 1) in "version 1.5": the stride is on the 3x3 convolution of a block.

The original, and Keras, have it on the first 1x1, which leaves three of four pixels unread there.
"""

from functools import partial

from minicnn.layers import (
    Activation,
    Add,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)

from .network import Network, convolution, normalized

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
BOTTLENECK_FROM, EXPANSION = 50, 4


def network(package: str, depth: int) -> Network:
    """Four stages of blocks, of two 3x3 convolutions or, from 50 layers on, of bottlenecks."""
    body = partial(_body, depths=DEPTHS[depth], bottleneck=depth >= BOTTLENECK_FROM)
    return Network(f"{package}.resnet{depth}", body, _head)


def _head(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    x = GlobalAveragePooling2D(name="avgpool")(x)
    return Dense(classes, activation=activation, name="fc")(x)


def _body(x: SymbolicTensor, depths: tuple[int, ...], bottleneck: bool) -> SymbolicTensor:
    x = normalized(convolution(x, 64, 7, "conv1", 2), "bn1", "relu")
    x = MaxPooling2D(3, 2, name="maxpool")(ZeroPadding2D(1, name="maxpool.pad")(x))  # all numbers are at least 0
    block = _bottleneck if bottleneck else _basic
    for stage, depth in enumerate(depths):
        for number in range(depth):
            stride = 2 if stage and not number else 1
            x = block(x, 64 * 2**stage, stride, f"layer{stage + 1}.{number}")
    return x


def _basic(x: SymbolicTensor, filters: int, stride: int, name: str) -> SymbolicTensor:
    y = normalized(convolution(x, filters, 3, f"{name}.conv1", stride), f"{name}.bn1", "relu")
    y = normalized(convolution(y, filters, 3, f"{name}.conv2"), f"{name}.bn2")
    return _joined(x, y, stride, name)


def _bottleneck(x: SymbolicTensor, filters: int, stride: int, name: str) -> SymbolicTensor:
    y = normalized(convolution(x, filters, 1, f"{name}.conv1"), f"{name}.bn1", "relu")
    y = normalized(convolution(y, filters, 3, f"{name}.conv2", stride), f"{name}.bn2", "relu")
    y = normalized(convolution(y, EXPANSION * filters, 1, f"{name}.conv3"), f"{name}.bn3")
    return _joined(x, y, stride, name)


def _joined(x: SymbolicTensor, y: SymbolicTensor, stride: int, name: str) -> SymbolicTensor:
    """relu(x + y); where x has another shape, a 1x1 convolution of it."""
    channels = y.shape[3]
    if stride > 1 or x.shape[3] != channels:
        assert channels is not None
        x = normalized(convolution(x, channels, 1, f"{name}.downsample.0", stride), f"{name}.downsample.1")
    return Activation("relu", name=f"{name}.relu")(Add(name=f"{name}.add")([x, y]))
