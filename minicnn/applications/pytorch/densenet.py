"""DenseNet (Huang et al., "Densely Connected Convolutional Networks", 2017, table 1): a layer sees all before it."""

from functools import partial
from typing import Any

from minicnn.layers import (
    AveragePooling2D,
    Concatenate,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)

from .network import Network, convolution, normalized

SIZES = {  # layers -> (layers of each block, growth rate, filters of the first convolution)
    121: ((6, 12, 24, 16), 32, 64),
    161: ((6, 12, 36, 24), 48, 96),
    169: ((6, 12, 32, 32), 32, 64),
    201: ((6, 12, 48, 32), 32, 64),
}
BOTTLENECK = 4  # filters of a 1x1 convolution, in growth rates


def network(package: str, depth: int) -> Network:
    """Four dense blocks with transitions between them."""
    return Network(f"{package}.densenet{depth}", partial(_body, sizes=SIZES[depth]), _head)


def _head(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    return Dense(classes, activation=activation, name="classifier")(GlobalAveragePooling2D(name="avgpool")(x))


def _body(x: SymbolicTensor, sizes: tuple[tuple[int, ...], int, int]) -> SymbolicTensor:
    depths, growth, filters = sizes
    x = normalized(convolution(x, filters, 7, "features.conv0", 2), "features.norm0", "relu")
    x = MaxPooling2D(3, 2, name="features.pool0")(ZeroPadding2D(1, name="features.pool0.pad")(x))
    for block, depth in enumerate(depths, 1):
        if block > 1:
            x = _transition(x, f"features.transition{block - 1}")
        for number in range(1, depth + 1):
            name = f"features.denseblock{block}.denselayer{number}"
            x = Concatenate(name=f"{name}.cat")([x, _layer(x, growth, name)])
    return normalized(x, "features.norm5", "relu")


def _layer(x: SymbolicTensor, growth: int, name: str) -> SymbolicTensor:
    x = convolution(normalized(x, f"{name}.norm1", "relu"), BOTTLENECK * growth, 1, f"{name}.conv1")
    return convolution(normalized(x, f"{name}.norm2", "relu"), growth, 3, f"{name}.conv2")


def _transition(x: SymbolicTensor, name: str) -> SymbolicTensor:
    """Half of the channels, a quarter of the pixels."""
    channels: Any = x.shape[3]
    x = convolution(normalized(x, f"{name}.norm", "relu"), channels // 2, 1, f"{name}.conv")
    return AveragePooling2D(2, name=f"{name}.pool")(x)
