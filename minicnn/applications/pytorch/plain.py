"""AlexNet and SqueezeNet: convolutions with a bias, ReLUs and poolings, numbered among all modules of `features`.

Sources: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014; Iandola et al.,
"SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016.
"""

from functools import partial

from minicnn.layers import (
    Activation,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)

from .network import Network, ceil_pool, convolution, flattened_grid

ALEXNET = {3: (192, 5), 6: (384, 3), 8: (256, 3), 10: (256, 3)}  # number: (filters, size), after the first
ALEXNET_POOLS = (2, 5, 12)
ALEXNET_GRID = 6, "223 to 254"

SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)  # channels between the convolutions of the fire modules
EXPANSION = 4
SQUEEZENETS = {  # (filters and size of the first convolution, numbers of the poolings)
    "1_0": ((96, 7), (2, 6, 11)),
    "1_1": ((64, 3), (2, 5, 8)),
}


def alexnet() -> Network:
    """Five convolutions and three dense layers."""
    return Network("torchvision.alexnet", _alexnet, _alexnet_head, least=63)


def squeezenet(version: str) -> Network:
    """A convolution and eight fire modules."""
    stem, pools = SQUEEZENETS[version]
    body = partial(_squeezenet, stem=stem, pools=pools)
    return Network(f"torchvision.squeezenet{version}", body, _squeezenet_head)


def _alexnet(x: SymbolicTensor) -> SymbolicTensor:
    x = ZeroPadding2D(2, name="features.0.pad")(x)
    x = Conv2D(64, 11, strides=4, activation="relu", name="features.0")(x)
    for number in range(2, 13):
        if number in ALEXNET_POOLS:
            x = MaxPooling2D(3, 2, name=f"features.{number}")(x)
        elif number in ALEXNET:
            x = convolution(x, *ALEXNET[number], f"features.{number}", use_bias=True)
            x = Activation("relu", name=f"features.{number}.relu")(x)
    return x


def _alexnet_head(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    x = flattened_grid(x, "AlexNet", *ALEXNET_GRID)
    for name in ("classifier.1", "classifier.4"):
        x = Dense(4096, activation="relu", name=name)(Dropout(0.5, name=f"{name}.dropout")(x))
    return Dense(classes, activation=activation, name="classifier.6")(x)


def _squeezenet(x: SymbolicTensor, stem: tuple[int, int], pools: tuple[int, ...]) -> SymbolicTensor:
    filters, size = stem
    x = Conv2D(filters, size, strides=2, activation="relu", name="features.0")(x)
    squeezed = iter(SQUEEZED)
    for number in range(2, 13):
        x = ceil_pool(x, 3, f"features.{number}") if number in pools else _fire(x, next(squeezed), number)
    return x


def _fire(x: SymbolicTensor, squeezed: int, number: int) -> SymbolicTensor:
    """Few channels, then 1x1 and 3x3 convolutions of them side by side."""
    name, filters = f"features.{number}", EXPANSION * squeezed
    x = Conv2D(squeezed, 1, activation="relu", name=f"{name}.squeeze")(x)
    narrow = Conv2D(filters, 1, activation="relu", name=f"{name}.expand1x1")(x)
    wide = Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}.expand3x3")(x)
    return Concatenate(name=f"{name}.cat")([narrow, wide])


def _squeezenet_head(x: SymbolicTensor, classes: int, activation: str | None) -> SymbolicTensor:
    """A map for each class, whose mean is its score."""
    x = Conv2D(classes, 1, activation="relu", name="classifier.1")(Dropout(0.5, name="classifier.0")(x))
    return Activation(activation, name="probabilities")(GlobalAveragePooling2D(name="classifier.3")(x))
