"""NASNet-A (Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018, figure 4).

A search over small networks found two cells, one that keeps the size of its maps and one that halves it; the network
is a row of them.  A cell takes the outputs of the two cells before it.  Each of its five blocks adds two of: a
separable convolution (done twice, section A.1), a pooling, or what it was given.

"NASNet-A (N @ P)" has N cells between two reductions and P filters at the end: 4 @ 1056 and 6 @ 4032.
"""

from typing import Any

from minicnn.errors import ShapeError
from minicnn.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
    SymbolicTensor,
    ZeroPadding2D,
)
from minicnn.models import Model
from minicnn.preparation import modes

from .family import Weights, finish, image_input, is_imagenet, pooled, strided_padding
from .labels import decode_predictions

MODE = "tf"

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """NASNet-A (4 @ 1056); 5,326,716 weights, 4,269,716 without top.

    Parameters
    ----------
    input_shape : (H,W,3), 224x224 by default, without top too; at least 32x32
    others : as VGG16

    Examples
    --------
    >>> from minicnn.applications import NASNetMobile
    >>> NASNetMobile(weights=None, include_top=False).count_params()
    4269716
    """
    options = (include_top, weights, input_tensor, pooling, classes, classifier_activation)
    return _nasnet("NASNetMobile", "nasnet_mobile", (4, 1056, 32), False, 224, input_shape or (224, 224, 3), *options)


def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Model:
    """NASNet-A (6 @ 4032); 88,949,818 weights, 84,916,818 without top.

    How a cell adapts what it is given depends on the sizes of the maps.  Where no size is known, which is so without
    top, `weights=None` and no `input_shape`, Keras takes them for equal: that network of 84,887,922 weights fits no
    published file.  So the sizes are those of 331x331 pixels wherever weights are given.

    Parameters
    ----------
    input_shape : (H,W,3), 331x331 by default, at least 32x32
    others : as VGG16
    """
    if input_shape is None and weights is not None:
        input_shape = (331, 331, 3)
    options = (include_top, weights, input_tensor, pooling, classes, classifier_activation)
    return _nasnet("NASNetLarge", "nasnet_large", (6, 4032, 96), True, 331, input_shape, *options)


def preprocess_input(x: Any) -> Any:
    """RGB 0..255 as NASNet takes it: x / 127.5 - 1."""
    return modes.preprocess_input(x, MODE)


def _nasnet(
    architecture: str,
    name: str,
    widths: tuple[int, int, int],
    skips: bool,
    side: int,
    input_shape: Any,
    include_top: bool,
    weights: Weights,
    input_tensor: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: str | None,
) -> Model:
    """`widths` are N, P and the filters of the first convolution; `skips`: what comes before a reduction is skipped."""
    inputs = image_input(input_shape, side, 32, include_top, input_tensor)
    if is_imagenet(weights) and None in inputs.shape[1:3]:
        raise ShapeError(f"{architecture}: weights='imagenet' need a fixed input size; it is {inputs.shape[1:]}")
    depth, last, first = widths
    filters = last // 24
    x = Conv2D(first, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1")(inputs)
    x = _bn(x, "stem_bn1")
    x, p = _reduction_cell(x, None, filters // 4, "stem_1"), x
    x, p = _reduction_cell(x, p, filters // 2, "stem_2"), x
    for stage in range(3):
        if stage:
            reduced = _reduction_cell(x, p, filters * 2**stage, f"reduce_{stage * depth}")
            x, p = reduced, p if skips else x
        for number in range(depth):
            x, p = _normal_cell(x, p, filters * 2**stage, str(stage * depth + bool(stage) + number)), x
    x = Activation("relu")(x)
    if include_top:
        x = GlobalAveragePooling2D()(x)
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(Model(inputs, x, name=name), architecture, weights, include_top, classes, MODE)


def _bn(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return BatchNormalization(momentum=0.9997, epsilon=1e-3, name=name)(x)


def _pointwise(x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    return Conv2D(filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)


def _separable(x: SymbolicTensor, filters: int, size: int, name: str, strides: int = 1) -> SymbolicTensor:
    """Twice: ReLU, separable convolution, normalisation; the first time with strides."""
    x, padding = Activation("relu")(x), "same"
    if strides == 2:
        x, padding = ZeroPadding2D(strided_padding(x, size), name=f"separable_conv_1_pad_{name}")(x), "valid"
    first = SeparableConv2D(
        filters, size, strides=strides, padding=padding, use_bias=False, name=f"separable_conv_1_{name}"
    )
    x = Activation("relu")(_bn(first(x), f"separable_conv_1_bn_{name}"))
    x = SeparableConv2D(filters, size, padding="same", use_bias=False, name=f"separable_conv_2_{name}")(x)
    return _bn(x, f"separable_conv_2_bn_{name}")


def _fitted(p: SymbolicTensor | None, x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    """What the cell before the last has made, p, with as many pixels as x and so many filters (section A.1)."""
    if p is None:
        return x
    if p.shape[2] != x.shape[2]:
        p = Activation("relu", name=f"adjust_relu_1_{name}")(p)
        moved = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(p))  # by one pixel
        halves = [
            _pointwise(
                AveragePooling2D(1, 2, name=f"adjust_avg_pool_{number}_{name}")(source),
                filters // 2,
                f"adjust_conv_{number}_{name}",
            )
            for number, source in enumerate((p, moved), 1)
        ]
        return _bn(Concatenate()(halves), f"adjust_bn_{name}")
    if p.shape[3] != filters:
        return _bn(_pointwise(Activation("relu")(p), filters, f"adjust_conv_projection_{name}"), f"adjust_bn_{name}")
    return p


def _normal_cell(x: SymbolicTensor, p: SymbolicTensor, filters: int, number: str) -> SymbolicTensor:
    p = _fitted(p, x, filters, number)
    h = _bn(_pointwise(Activation("relu")(x), filters, f"normal_conv_1_{number}"), f"normal_bn_1_{number}")

    def separable(source: SymbolicTensor, size: int, place: str) -> SymbolicTensor:
        return _separable(source, filters, size, f"normal_{place}_{number}")

    def average(source: SymbolicTensor, place: str) -> SymbolicTensor:
        return AveragePooling2D(3, 1, "same", name=f"normal_{place}_{number}")(source)

    def add(block: int, *pair: SymbolicTensor) -> SymbolicTensor:
        return Add(name=f"normal_add_{block}_{number}")(list(pair))

    blocks = [
        add(1, separable(h, 5, "left1"), separable(p, 3, "right1")),
        add(2, separable(p, 5, "left2"), separable(p, 3, "right2")),
        add(3, average(h, "left3"), p),
        add(4, average(p, "left4"), average(p, "right4")),
        add(5, separable(h, 3, "left5"), h),
    ]
    return Concatenate(name=f"normal_concat_{number}")([p, *blocks])


def _reduction_cell(x: SymbolicTensor, p: SymbolicTensor | None, filters: int, number: str) -> SymbolicTensor:
    p = _fitted(p, x, filters, number)
    h = _bn(_pointwise(Activation("relu")(x), filters, f"reduction_conv_1_{number}"), f"reduction_bn_1_{number}")
    padded = ZeroPadding2D(strided_padding(h, 3), name=f"reduction_pad_1_{number}")(h)

    def separable(source: SymbolicTensor, size: int, place: str, strides: int = 2) -> SymbolicTensor:
        return _separable(source, filters, size, f"reduction_{place}_{number}", strides)

    def largest(place: str) -> SymbolicTensor:
        return MaxPooling2D(3, 2, name=f"reduction_{place}_{number}")(padded)

    def add(name: str, *pair: SymbolicTensor) -> SymbolicTensor:
        return Add(name=f"reduction_{name}_{number}")(list(pair))

    one = add("add_1", separable(h, 5, "left1"), separable(p, 7, "right1"))
    two = add("add_2", largest("left2"), separable(p, 7, "right2"))
    mean = AveragePooling2D(3, 2, name=f"reduction_left3_{number}")(padded)
    three = add("add3", mean, separable(p, 5, "right3"))
    four = Add()([two, AveragePooling2D(3, 1, "same", name=f"reduction_left4_{number}")(one)])
    five = add("add4", separable(one, 3, "left4", strides=1), largest("right5"))
    return Concatenate(name=f"reduction_concat_{number}")([two, three, four, five])
