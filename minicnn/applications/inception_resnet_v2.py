"""InceptionResNetV2 (Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning", AAAI 2017).

The modules of Inception, each with a shortcut around it.  A 1x1 convolution with a bias makes the joined maps as many
as the shortcut has, and their sum is made smaller before it is added, since training fails otherwise (section 3.3).
Stem and first module are InceptionV3's, in place of figures 3 and 15.
"""

from typing import Any

from minicnn.layers import Activation, Concatenate, Conv2D, CustomScaleLayer, MaxPooling2D, SymbolicTensor
from minicnn.preparation import modes

from .family import member
from .inception_v3 import MODE, VALID, averaged, chain, conv_bn, stem
from .labels import decode_predictions

# The branches of the residual modules: (filters, size of the window) of each convolution.
BLOCK35 = (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))
BLOCK17 = (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))
BLOCK8 = (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as Inception takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _body(x: SymbolicTensor) -> SymbolicTensor:
    x = stem(x)
    branches = chain(x, (96, 1)), chain(x, (48, 1), (64, 5)), chain(x, (64, 1), (96, 3), (96, 3)), averaged(x, 64)
    x = Concatenate(name="mixed_5b")(list(branches))
    for number in range(1, 11):
        x = _residual(x, BLOCK35, 0.17, f"block35_{number}")
    halved = chain(x, (384, 3, 2, VALID)), chain(x, (256, 1), (256, 3), (384, 3, 2, VALID)), MaxPooling2D(3, 2)(x)
    x = Concatenate(name="mixed_6a")(list(halved))
    for number in range(1, 21):
        x = _residual(x, BLOCK17, 0.1, f"block17_{number}")
    halves = [(384, 3, 2, VALID)], [(288, 3, 2, VALID)], [(288, 3), (320, 3, 2, VALID)]
    x = Concatenate(name="mixed_7a")([*(chain(x, (256, 1), *half) for half in halves), MaxPooling2D(3, 2)(x)])
    for number in range(1, 10):
        x = _residual(x, BLOCK8, 0.2, f"block8_{number}")
    x = _residual(x, BLOCK8, 1.0, "block8_10", activated=False)
    return conv_bn(x, 1536, 1, name="conv_7b")


def _residual(x: SymbolicTensor, branches: Any, scale: float, name: str, activated: bool = True) -> SymbolicTensor:
    mixed = Concatenate(name=f"{name}_mixed")([chain(x, *steps) for steps in branches])
    channels: Any = x.shape[3]
    up = Conv2D(channels, 1, padding="same", name=f"{name}_conv")(mixed)
    x = CustomScaleLayer(scale)([x, up])
    return Activation("relu", name=f"{name}_ac")(x) if activated else x


InceptionResNetV2 = member(
    "InceptionResNetV2", "10, 20 and 10 residual modules", _body, model_name="inception_resnet_v2"
)
