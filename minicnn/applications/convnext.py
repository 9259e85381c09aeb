"""ConvNeXt (Liu et al., "A ConvNet for the 2020s", CVPR 2022): Tiny, Small, Base, Large and XLarge.

A convolutional net with the habits of a transformer (section 2): few and large steps of downsampling, windows of 7x7
for each channel by itself, one layer normalisation and one gelu in a block, and no batch normalisation at all.  The
1x1 convolutions of a block are dense layers on the last axis.  A block is added to its input, scaled by numbers that
begin next to zero.  The nets scale pixels 0..255 by themselves, unless `include_preprocessing` is False.

Base, Large and XLarge are published as trained on ImageNet-21k, then on ImageNet-1k.

>>> from minicnn.applications import ConvNeXtTiny
>>> ConvNeXtTiny(weights=None, include_top=False).count_params()
27820128
"""

from collections.abc import Callable
from typing import Any

from minicnn.layers import (
    Activation,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    LayerNormalization,
    LayerScale,
    Normalization,
    SymbolicTensor,
)
from minicnn.models import Model, Sequential
from minicnn.preparation import modes

from .family import IMAGENET_DEVIATION, IMAGENET_MEAN, Weights, described, finish, image_input, pooled
from .labels import decode_predictions

MODE = "none"
SIDE = 224
EPSILON = 1e-6
FIRST_SCALE = 1e-6  # of a block: appendix A
EXPANSION = 4
MEAN = [255 * mean for mean in IMAGENET_MEAN]
VARIANCE = [(255 * deviation) ** 2 for deviation in IMAGENET_DEVIATION]

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as ConvNeXt takes it, which is as it is."""
    return modes.preprocess_input(x, MODE)


def _member(size: str, depths: tuple[int, ...], channels: int) -> Callable[..., Model]:
    """The builder of one size of the family."""
    architecture, stem = f"ConvNeXt{size}", f"convnext_{size.lower()}"

    def build(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Weights = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
    ) -> Model:
        inputs = image_input(input_shape, SIDE, 32, include_top, input_tensor)
        colours, x = inputs.shape[3] == 3, inputs
        if include_preprocessing and colours:
            x = Normalization(mean=MEAN, variance=VARIANCE, name=f"{stem}_prestem_normalization")(x)
        for stage, depth in enumerate(depths):
            x = _downsampling(stage, channels * 2**stage, stem)(x)
            for block in range(depth):
                x = x + _block(x, f"{stem}_stage_{stage}_block_{block}")
        if include_top:
            x = GlobalAveragePooling2D(name=f"{stem}_head_gap")(x)
            x = LayerNormalization(epsilon=EPSILON, name=f"{stem}_head_layernorm")(x)
            x = Dense(classes, activation=classifier_activation, name=f"{stem}_head_dense")(x)
        else:
            x = LayerNormalization(epsilon=EPSILON)(pooled(x, pooling))
        mode = MODE if include_preprocessing and colours else "torch" if colours else None
        return finish(Model(inputs, x, name=stem), architecture, weights, include_top, classes, mode)

    return described(build, architecture, f"Blocks ({','.join(map(str, depths))}), {channels} channels at first")


def _downsampling(stage: int, filters: int, stem: str) -> Sequential:
    """The layers before a stage: patches of 4x4 pixels at first, then of 2x2."""
    if stage == 0:
        convolution = Conv2D(filters, 4, strides=4, name=f"{stem}_stem_conv")
        row = [convolution, LayerNormalization(epsilon=EPSILON, name=f"{stem}_stem_layernorm")]
        return Sequential(row, name=f"{stem}_stem")
    norm = LayerNormalization(epsilon=EPSILON, name=f"{stem}_downsampling_layernorm_{stage - 1}")
    convolution = Conv2D(filters, 2, strides=2, name=f"{stem}_downsampling_conv_{stage - 1}")
    return Sequential([norm, convolution], name=f"{stem}_downsampling_block_{stage - 1}")


def _block(x: SymbolicTensor, name: str) -> SymbolicTensor:
    """What a block adds to its input (figure 4)."""
    channels: Any = x.shape[3]
    x = Conv2D(channels, 7, padding="same", groups=channels, name=f"{name}_depthwise_conv")(x)
    x = LayerNormalization(epsilon=EPSILON, name=f"{name}_layernorm")(x)
    x = Dense(EXPANSION * channels, name=f"{name}_pointwise_conv_1")(x)
    x = Dense(channels, name=f"{name}_pointwise_conv_2")(Activation("gelu", name=f"{name}_gelu")(x))
    x = LayerScale(FIRST_SCALE, channels, name=f"{name}_layer_scale")(x)
    return Activation("linear", name=f"{name}_identity")(x)


ConvNeXtTiny = _member("Tiny", (3, 3, 9, 3), 96)
ConvNeXtSmall = _member("Small", (3, 3, 27, 3), 96)
ConvNeXtBase = _member("Base", (3, 3, 27, 3), 128)
ConvNeXtLarge = _member("Large", (3, 3, 27, 3), 192)
ConvNeXtXLarge = _member("XLarge", (3, 3, 27, 3), 256)
