"""VGG (Simonyan & Zisserman, 2015, table 1, columns A, B, D and E), plain and with batch normalisation."""

from functools import partial

from minicnn.layers import Activation, Dense, Dropout, MaxPooling2D, SymbolicTensor

from .network import Network, convolution, flattened_grid, normalized

FILTERS = (64, 128, 256, 512, 512)
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
GRID = 7, "224 to 255"  # rows and columns of the features that the dense layers take, of pictures of these sides

HEADS = {  # what a package calls the three dense layers
    "torchvision": ("classifier.0", "classifier.3", "classifier.6"),
    "timm": ("pre_logits.fc1", "pre_logits.fc2", "head.fc"),
}


def network(package: str, depth: int, batch_norm: bool = False) -> Network:
    """Convolutions, numbered among all modules of `features`, and three dense layers."""
    body = partial(_body, depths=DEPTHS[depth], batch_norm=batch_norm)
    name = f"{package}.vgg{depth}{'_bn' if batch_norm else ''}"
    return Network(name, body, partial(_head, names=HEADS[package]))


def _body(x: SymbolicTensor, depths: tuple[int, ...], batch_norm: bool) -> SymbolicTensor:
    number = 0
    for filters, depth in zip(FILTERS, depths):
        for _ in range(depth):
            name = f"features.{number}"
            x = convolution(x, filters, 3, name, use_bias=True)
            if batch_norm:
                number += 1
                x = normalized(x, f"features.{number}", "relu")
            else:
                x = Activation("relu", name=f"{name}.relu")(x)
            number += 2
        x = MaxPooling2D(2, name=f"features.{number}")(x)
        number += 1
    return x


def _head(x: SymbolicTensor, classes: int, activation: str | None, names: tuple[str, str, str]) -> SymbolicTensor:
    first, second, last = names
    x = flattened_grid(x, "VGG", *GRID)
    x = Dropout(0.5, name=f"{first}.dropout")(Dense(4096, activation="relu", name=first)(x))
    x = Dropout(0.5, name=f"{second}.dropout")(Dense(4096, activation="relu", name=second)(x))
    return Dense(classes, activation=activation, name=last)(x)
