"""GoogLeNet and Inception v3: modules of branches side by side.

Their published weights take pictures of -1..1 (mode "tf"), which torchvision's `transform_input` makes of others.  The
classifiers beside the network, which only training has, are left out.  GoogLeNet has 3x3 where the paper has 5x5.

Sources: Szegedy et al., "Going Deeper with Convolutions", 2015, table 1, and "Rethinking the Inception Architecture for
Computer Vision", 2016, table 1.
"""

from collections.abc import Sequence
from functools import partial

from minicnn.layers import (
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SymbolicTensor,
    ZeroPadding2D,
)

from ..googlenet import MODULES, POOLS
from .network import Network, ceil_pool, convolution, normalized

EPSILON = 1e-3
Part = tuple[str, int, int | tuple[int, int]]  # name, filters, size


def googlenet() -> Network:
    """Nine modules."""
    return Network("torchvision.googlenet", _googlenet, partial(_head, dropout=0.2), preprocessing="tf")


def inception_v3() -> Network:
    """Eleven modules."""
    return Network(
        "torchvision.inception_v3", _inception_v3, partial(_head, dropout=0.5), preprocessing="tf", side=299, least=75
    )


def _head(x: SymbolicTensor, classes: int, activation: str | None, dropout: float) -> SymbolicTensor:
    x = Dropout(dropout, name="dropout")(GlobalAveragePooling2D(name="avgpool")(x))
    return Dense(classes, activation=activation, name="fc")(x)


def _normalized(x: SymbolicTensor, name: str, filters: int, size: int | tuple[int, int]) -> SymbolicTensor:
    """A convolution that keeps the size of its maps."""
    x = Conv2D(filters, size, padding="same", use_bias=False, name=f"{name}.conv")(x)
    return normalized(x, f"{name}.bn", "relu", EPSILON)


def _unpadded(x: SymbolicTensor, name: str, filters: int, size: int, stride: int = 1) -> SymbolicTensor:
    """A convolution whose windows lie within its maps."""
    x = Conv2D(filters, size, strides=stride, use_bias=False, name=f"{name}.conv")(x)
    return normalized(x, f"{name}.bn", "relu", EPSILON)


def _chain(x: SymbolicTensor, name: str, parts: Sequence[Part]) -> SymbolicTensor:
    """Convolutions one after another."""
    for part, filters, size in parts:
        x = _normalized(x, f"{name}.{part}", filters, size)
    return x


def _googlenet(x: SymbolicTensor) -> SymbolicTensor:
    x = convolution(x, 64, 7, "conv1.conv", 2)
    x = ceil_pool(normalized(x, "conv1.bn", "relu", EPSILON), 3, "maxpool1")
    x = ceil_pool(_normalized(_normalized(x, "conv2", 64, 1), "conv3", 192, 3), 3, "maxpool2")
    for number, filters in MODULES.items():
        x = _googlenet_module(x, f"inception{number}", filters)
        if number in POOLS:
            x = ceil_pool(x, *POOLS[number])
    return x


def _googlenet_module(x: SymbolicTensor, name: str, filters: tuple[int, ...]) -> SymbolicTensor:
    single, reduced, second, reduced_more, third, projected = filters
    largest = MaxPooling2D(3, 1, "same", name=f"{name}.branch4.0")(x)
    branches = [
        _chain(x, name, [("branch1", single, 1)]),
        _chain(x, name, [("branch2.0", reduced, 1), ("branch2.1", second, 3)]),
        _chain(x, name, [("branch3.0", reduced_more, 1), ("branch3.1", third, 3)]),
        _chain(largest, name, [("branch4.1", projected, 1)]),
    ]
    return Concatenate(name=f"{name}.cat")(branches)


def _inception_v3(x: SymbolicTensor) -> SymbolicTensor:
    x = _unpadded(_unpadded(x, "Conv2d_1a_3x3", 32, 3, 2), "Conv2d_2a_3x3", 32, 3)
    x = MaxPooling2D(3, 2, name="maxpool1")(_normalized(x, "Conv2d_2b_3x3", 64, 3))
    x = _unpadded(_normalized(x, "Conv2d_3b_1x1", 80, 1), "Conv2d_4a_3x3", 192, 3)
    x = MaxPooling2D(3, 2, name="maxpool2")(x)
    for letter, filters in zip("bcd", (32, 64, 64)):
        x = _module_a(x, f"Mixed_5{letter}", filters)
    x = _module_b(x, "Mixed_6a")
    for letter, filters in zip("bcde", (128, 160, 160, 192)):
        x = _module_c(x, f"Mixed_6{letter}", filters)
    x = _module_d(x, "Mixed_7a")
    for letter in "bc":
        x = _module_e(x, f"Mixed_7{letter}")
    return x


def _averaged(x: SymbolicTensor, name: str, filters: int) -> SymbolicTensor:
    """Of means over 3x3 places, in which PyTorch counts the zeros around the maps."""
    x = AveragePooling2D(3, 1, name=f"{name}.mean")(ZeroPadding2D(1, name=f"{name}.pad")(x))
    return _normalized(x, f"{name}.branch_pool", filters, 1)


def _joined(name: str, *branches: SymbolicTensor) -> SymbolicTensor:
    return Concatenate(name=f"{name}.cat")(list(branches))


def _module_a(x: SymbolicTensor, name: str, filters: int) -> SymbolicTensor:
    return _joined(
        name,
        _chain(x, name, [("branch1x1", 64, 1)]),
        _chain(x, name, [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)]),
        _chain(x, name, [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)]),
        _averaged(x, name, filters),
    )


def _module_b(x: SymbolicTensor, name: str) -> SymbolicTensor:
    double = _chain(x, name, [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3)])
    return _joined(
        name,
        _unpadded(x, f"{name}.branch3x3", 384, 3, 2),
        _unpadded(double, f"{name}.branch3x3dbl_3", 96, 3, 2),
        MaxPooling2D(3, 2, name=f"{name}.pool")(x),
    )


def _module_c(x: SymbolicTensor, name: str, c: int) -> SymbolicTensor:
    row, column = (1, 7), (7, 1)
    double = [c, 1], [c, column], [c, row], [c, column], [192, row]
    return _joined(
        name,
        _chain(x, name, [("branch1x1", 192, 1)]),
        _chain(x, name, [("branch7x7_1", c, 1), ("branch7x7_2", c, row), ("branch7x7_3", 192, column)]),
        _chain(x, name, [(f"branch7x7dbl_{k}", filters, size) for k, (filters, size) in enumerate(double, 1)]),
        _averaged(x, name, 192),
    )


def _module_d(x: SymbolicTensor, name: str) -> SymbolicTensor:
    seven = [("branch7x7x3_1", 192, 1), ("branch7x7x3_2", 192, (1, 7)), ("branch7x7x3_3", 192, (7, 1))]
    return _joined(
        name,
        _unpadded(_chain(x, name, [("branch3x3_1", 192, 1)]), f"{name}.branch3x3_2", 320, 3, 2),
        _unpadded(_chain(x, name, seven), f"{name}.branch7x7x3_4", 192, 3, 2),
        MaxPooling2D(3, 2, name=f"{name}.pool")(x),
    )


def _module_e(x: SymbolicTensor, name: str) -> SymbolicTensor:
    single = _chain(x, name, [("branch3x3_1", 384, 1)])
    double = _chain(x, name, [("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3)])
    sides = [
        _normalized(y, f"{name}.{part}", 384, size)
        for y, stem in ((single, "branch3x3_2"), (double, "branch3x3dbl_3"))
        for part, size in ((f"{stem}a", (1, 3)), (f"{stem}b", (3, 1)))
    ]
    return _joined(name, _chain(x, name, [("branch1x1", 320, 1)]), *sides, _averaged(x, name, 192))
