"""From a word to the sizes of a layer: `vgg16.block3_conv2`, a layer of an architecture, or `56x56x64,3x3x128/2`."""

import difflib
import re
from math import prod
from typing import Any

from minicnn.errors import ArgumentError
from minicnn.weights.architectures import architecture

from .cases import Layer

MOST_NUMBERS = 1 << 27  # in the arrays of a case together
SHOWN = 8  # names of layers in a line
LAYERS = {  # operation: the layers that it computes, and an example
    "conv2d": (("Conv2D",), "vgg16.block3_conv2"),
    "depthwise_conv2d": (("DepthwiseConv2D",), "mobilenet.conv_dw_1"),
    "dense": (("Dense",), "vgg16.fc1"),
    "maxpool2d": (("MaxPooling2D",), "vgg16.block3_pool"),
    "global_avgpool2d": (("GlobalAveragePooling2D",), "resnet50.avg_pool"),
    "batchnorm": (("BatchNormalization",), "resnet50.conv1_bn"),
    "activation": (("Activation", "ReLU"), "resnet50.conv1_relu"),
    "elementwise": (("Add",), "resnet50.conv2_block1_add"),
}
IMAGES = {"conv2d", "depthwise_conv2d", "conv2d_transpose", "maxpool2d", "avgpool2d"}
IMAGES |= {"global_maxpool2d", "global_avgpool2d", "upsample2d"}
KERNELS = {  # operation: what comes after the comma, and an example
    **dict.fromkeys(("conv2d", "conv2d_transpose"), ((3,), "56x56x64,3x3x128 or 56x56x64,3x3x128/2")),
    "depthwise_conv2d": ((2, 3), "56x56x64,3x3 or 56x56x64,3x3/2"),
    **dict.fromkeys(("maxpool2d", "avgpool2d"), ((2,), "56x56x64,2x2/2")),
    "dense": ((1,), "4096,1000"),
}
SIZES = re.compile(r"(\d{1,9}(?:x\d{1,9})*)(?:,(\d{1,9}(?:x\d{1,9})*))?(?:/(\d{1,9}))?")


def build(name: str, size: int, classes: int = 1000) -> Any:
    """An architecture, with weights at random, for pictures of a size.

    Raises
    ------
    ArgumentError
        There is none of that name, or it does not take pictures of that size.
    """
    from minicnn import applications

    make = getattr(applications, architecture(name).name)
    return make(weights=None, input_shape=(size, size, 3), classes=classes)


def form_of(op: str) -> str:
    """How the shape of an operation is written.

    >>> form_of("dense")
    'sizes, as 4096,1000, or a layer of an architecture, as vgg16.fc1'
    """
    named = f", or a layer of an architecture, as {LAYERS[op][1]}" if op in LAYERS else ""
    return f"sizes, as {_form(op)[1]}{named}"


def _form(op: str) -> tuple[tuple[int, ...], str]:
    """(how many sizes may come after the comma, an example)"""
    return KERNELS.get(op, ((0,), "56x56x64" if op in IMAGES else "128x1000"))


def layer_of(op: str, text: str, batch: int, size: int) -> Layer:
    """The sizes that a word stands for.

    Raises
    ------
    ArgumentError
        It is neither the name of a layer that the operation computes, nor sizes that it can have.
    """
    layer = _named(op, text, size) if "." in text else _sizes(op, text)
    outputs = batch * prod(layer.x) // layer.x[-1] * layer.filters * (layer.x[-1] if op == "depthwise_conv2d" else 1)
    numbers = batch * prod(layer.x) + prod(layer.taps) * layer.x[-1] * layer.filters + outputs * prod(layer.strides)
    if numbers > MOST_NUMBERS:
        raise ArgumentError(f"{text} with {batch} images is {numbers:,} numbers; at most {MOST_NUMBERS:,} are timed")
    return layer


def _sizes(op: str, text: str) -> Layer:
    """An input, kernels, and a stride as numbers; the padding is "same", that of pools "valid"."""
    counts, _ = _form(op)
    found = SIZES.fullmatch(text)
    x, kernel, stride = (
        [[int(n) for n in part.split("x")] if part else [] for part in found.groups()] if found else [[]] * 3
    )
    fits = len(x) == 3 if op in IMAGES else len(x) == 1 if op == "dense" else bool(x)
    if (
        not found
        or not fits
        or len(kernel) not in counts
        or (stride and max(counts) < 2)
        or not all(x + kernel + stride)
    ):
        raise ArgumentError(f"{text!r} is no shape of {op}: write {form_of(op)}")
    if op == "dense":
        return Layer(tuple(x), filters=kernel[0])
    taps = (kernel[0], kernel[1]) if kernel else (1, 1)
    strides = (stride[0], stride[0]) if stride else (1, 1)
    filters = kernel[2] if len(kernel) == 3 else 1
    return Layer(tuple(x), taps, filters, strides, "valid" if op in ("maxpool2d", "avgpool2d") else "same")


def _named(op: str, text: str, size: int) -> Layer:
    """A layer of an architecture."""
    name, _, wanted = text.partition(".")
    if op not in LAYERS:
        raise ArgumentError(f"{op} has no layers in the architectures: write sizes in place of {text!r}")
    layers = {layer.name: layer for layer in build(name, size).layers}
    fitting = [n for n, layer in layers.items() if type(layer).__name__ in LAYERS[op][0]]
    if wanted not in fitting:
        if wanted in layers:
            raise ArgumentError(f"{text} is a layer of class {type(layers[wanted]).__name__}: {op} does not compute it")
        if not fitting:
            raise ArgumentError(f"{name} has no layer that {op} computes")
        raise ArgumentError(f"{name} has no layer {wanted!r} that {op} computes{_hint(wanted, fitting)}")
    return _sizes_of(op, layers[wanted])


def _sizes_of(op: str, layer: Any) -> Layer:
    """What a layer of a model computes."""
    inputs = layer.input[0] if isinstance(layer.input, list) else layer.input
    x = tuple(inputs.shape[1:])
    if op == "dense":
        return Layer(x[-1:], filters=layer.units)
    if op == "maxpool2d":
        return Layer(x, layer.pool_size, strides=layer.strides, padding=layer.padding)
    if op == "depthwise_conv2d":
        return Layer(x, layer.kernel_size, layer.depth_multiplier, layer.strides, layer.padding, layer.dilation_rate)
    if op == "conv2d":
        window = layer.strides, layer.padding, layer.dilation_rate, layer.groups
        return Layer(x, layer.kernel_size, layer.filters, *window)
    return Layer(x)


def _hint(word: str, known: list[str]) -> str:
    """The nearest of the known names, or a few of them."""
    nearest = difflib.get_close_matches(word, known, n=1)
    few = ", ".join(known[:SHOWN]) + ", ..." * (len(known) > SHOWN)
    return f", did you mean {nearest[0]}?" if nearest else f": there are {few}"
