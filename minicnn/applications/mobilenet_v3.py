"""MobileNetV3, Small and Large (Howard et al., "Searching for MobileNetV3", ICCV 2019, tables 1 and 2).

The blocks are those of MobileNetV2; a search chose their sizes, and which of them have a gate for each channel
(squeeze-and-excitation).  Later blocks use hard swish, x relu6(x + 3) / 6, which needs no exponential; the gates are
relu6(x + 3) / 6 too.  The top is 1x1 convolutions after the mean over the image, so the net takes pictures of any size.
`minimalistic` has neither gates nor hard swish nor 5x5 windows.

The nets scale pixels 0..255 by themselves, unless `include_preprocessing` is False.

>>> from minicnn.applications import MobileNetV3Small
>>> MobileNetV3Small(weights=None, include_top=False).count_params()
939120
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from minicnn.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Multiply,
    ReLU,
    Rescaling,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.models import Model
from minicnn.preparation import ResizeRule, modes

from .family import Weights, checked_alpha, divisible, finish, image_input, pooled, strided_padding
from .labels import decode_predictions

MODE = "none"
UNSCALED_MODE = "tf"  # where the scaling is left out
SQUEEZED = 0.25
SIDE = 224

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]


class Block(NamedTuple):
    """One row of the paper's tables: channels within are those of the input times `expansion`."""

    expansion: float
    filters: int
    taps: int
    stride: int
    gate: bool
    hard: bool  # hard swish; relu otherwise


SMALL = (
    Block(1, 16, 3, 2, True, False),
    Block(72 / 16, 24, 3, 2, False, False),
    Block(88 / 24, 24, 3, 1, False, False),
    Block(4, 40, 5, 2, True, True),
    Block(6, 40, 5, 1, True, True),
    Block(6, 40, 5, 1, True, True),
    Block(3, 48, 5, 1, True, True),
    Block(3, 48, 5, 1, True, True),
    Block(6, 96, 5, 2, True, True),
    Block(6, 96, 5, 1, True, True),
    Block(6, 96, 5, 1, True, True),
)
LARGE = (
    Block(1, 16, 3, 1, False, False),
    Block(4, 24, 3, 2, False, False),
    Block(3, 24, 3, 1, False, False),
    Block(3, 40, 5, 2, True, False),
    Block(3, 40, 5, 1, True, False),
    Block(3, 40, 5, 1, True, False),
    Block(6, 80, 3, 2, False, True),
    Block(2.5, 80, 3, 1, False, True),
    Block(2.3, 80, 3, 1, False, True),
    Block(2.3, 80, 3, 1, False, True),
    Block(6, 112, 3, 1, True, True),
    Block(6, 112, 3, 1, True, True),
    Block(6, 160, 5, 2, True, True),
    Block(6, 160, 5, 1, True, True),
    Block(6, 160, 5, 1, True, True),
)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as MobileNetV3 takes it, which is as it is."""
    return modes.preprocess_input(x, MODE)


def _member(name: str, blocks: tuple[Block, ...], last: int, whole: int, body: int) -> Callable[..., Model]:
    """The builder of one of the two."""

    def build(
        input_shape: Any = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: Any = None,
        classes: int = 1000,
        pooling: str | None = None,
        dropout_rate: float = 0.2,
        classifier_activation: str | None = "softmax",
        include_preprocessing: bool = True,
    ) -> Model:
        alpha = checked_alpha(name, alpha)
        inputs = image_input(input_shape or (None, None, 3), SIDE, 32, False, input_tensor)
        x = Rescaling(1 / 127.5, offset=-1.0)(inputs) if include_preprocessing else inputs
        x = _active(_convolved(x, 16, 3, "conv", strides=2), not minimalistic)
        for number, block in enumerate(blocks):
            x = _block(x, _simple(block) if minimalistic else block, alpha, number)
        channels: Any = x.shape[3]
        x = _active(_convolved(x, divisible(6 * channels), 1, "conv_1"), not minimalistic)
        if include_top:
            wide = divisible(last * alpha) if alpha > 1 else last
            x = _top(x, wide, not minimalistic, dropout_rate, classes)
            x = Activation(classifier_activation, name="predictions")(x)
        else:
            x = pooled(x, pooling, named=True)
        variant = {"alpha": alpha, "variant": "minimalistic" if minimalistic else ""}
        mode = MODE if include_preprocessing else UNSCALED_MODE
        model = finish(Model(inputs, x, name=name), name, weights, include_top, classes, mode, **variant)
        if include_top and None in inputs.shape[1:3]:  # of the sizes that it takes, the one it was trained with
            model.metadata["resize"] = ResizeRule(SIDE).to_dict()
        return model

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"""{len(blocks)} blocks; {whole:,} weights at alpha 1, {body:,} without top.

    Parameters
    ----------
    alpha : width multiplier; weights are published for 0.75 and 1
    minimalistic : without gates, hard swish and 5x5 windows; weights are published for alpha 1
    dropout_rate : before the classifier
    include_preprocessing : whether the net takes pixels 0..255; numbers from -1 to 1 otherwise
    others : as VGG16
    """
    return build


def _simple(block: Block) -> Block:
    """A block of a minimalistic net."""
    return block._replace(taps=3, gate=False, hard=False)


def _active(x: SymbolicTensor, hard: bool) -> SymbolicTensor:
    return (Activation("hard_swish") if hard else ReLU())(x)


def _normalized(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return BatchNormalization(momentum=0.999, epsilon=1e-3, name=f"{name}_bn")(x)


def _convolved(x: SymbolicTensor, filters: int, taps: int, name: str, strides: int = 1) -> SymbolicTensor:
    x = Conv2D(filters, taps, strides=strides, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, name)


def _block(inputs: SymbolicTensor, block: Block, alpha: float, number: int) -> SymbolicTensor:
    """Expansion, but in the first, filter, gate and projection; a shortcut around them where the shape stays."""
    channels: Any = inputs.shape[3]
    x, filters, padding = inputs, divisible(block.filters * alpha), "same"
    name = f"expanded_conv_{number}_" if number else "expanded_conv_"
    if number:
        x = _active(_convolved(x, divisible(channels * block.expansion), 1, f"{name}expand"), block.hard)
    if block.stride == 2:
        x, padding = ZeroPadding2D(strided_padding(x, block.taps), name=f"{name}depthwise_pad")(x), "valid"
    options = {"padding": padding, "use_bias": False, "name": f"{name}depthwise"}
    x = DepthwiseConv2D(block.taps, strides=block.stride, **options)(x)
    x = _active(_normalized(x, f"{name}depthwise"), block.hard)
    if block.gate:
        x = _gated(x, f"{name}squeeze_excite_")
    x = _convolved(x, filters, 1, f"{name}project")
    return Add(name=f"{name}add")([inputs, x]) if block.stride == 1 and channels == filters else x


def _gated(x: SymbolicTensor, name: str) -> SymbolicTensor:
    """Each channel times a number from 0 to 1, made of the means of all channels over the image."""
    channels: Any = x.shape[3]
    gate = GlobalAveragePooling2D(keepdims=True, name=f"{name}avg_pool")(x)
    gate = Conv2D(divisible(channels * SQUEEZED), 1, padding="same", name=f"{name}conv")(gate)
    gate = Conv2D(channels, 1, padding="same", name=f"{name}conv_1")(ReLU(name=f"{name}relu")(gate))
    return Multiply(name=f"{name}mul")([x, ReLU(6.0)(gate + 3.0) * (1 / 6)])


def _top(x: SymbolicTensor, channels: int, hard: bool, dropout: float, classes: int) -> SymbolicTensor:
    """The mean over the image, and two dense layers that are written as convolutions."""
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = _active(Conv2D(channels, 1, padding="same", name="conv_2")(x), hard)
    if dropout:
        x = Dropout(dropout)(x)
    return Flatten()(Conv2D(classes, 1, padding="same", name="logits")(x))


MobileNetV3Small = _member("MobileNetV3Small", SMALL, 1024, 2_554_968, 939_120)
MobileNetV3Large = _member("MobileNetV3Large", LARGE, 1280, 5_507_432, 2_996_352)
