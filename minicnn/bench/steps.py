"""The calls of a network as steps that other engines can be told of: plain values, and weights by the layer's name."""

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.kernels import pair, same_padding
from minicnn.models import Model
from minicnn.models.graph import Call, Slot

Step = dict[str, Any]
Sides = tuple[tuple[int, int], ...]

NO_SIDES: Sides = ((0, 0), (0, 0))
BORDERS = {"ZeroPadding2D": ("padding", 1), "Cropping2D": ("cropping", -1)}  # argument, sign
PADDED = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D")  # a padding before them may be theirs
WINDOWS = (*PADDED, "AveragePooling2D")
ACTIVATIONS = ("relu", "relu6", "softmax", "sigmoid", "hard_sigmoid", "tanh", "gelu", "swish", "silu", "hard_swish")
RECTIFIED = ("relu", "relu6", "sigmoid", "hard_sigmoid", "softmax")  # which leave no number below 0
LEVEL = ("Concatenate", "Dropout", "AveragePooling2D", "MaxPooling2D")  # and what of such numbers makes such
KNOWN = {  # class: the options that are told
    "Activation": (),
    "Add": (),
    "BatchNormalization": ("epsilon", "momentum", "scale"),
    "Concatenate": (),
    "CustomScaleLayer": ("scale",),
    "Dense": (),
    "Dropout": ("rate",),
    "Flatten": (),
    "GlobalAveragePooling2D": ("keepdims",),
    "LayerNormalization": ("epsilon",),
    "LayerScale": (),
    "Multiply": (),
    "ReLU": (),
}


def describe(model: Model) -> list[Step]:
    """The calls of a model in order: kind, layer, inputs and output as numbers, window and activation.

    A padding in front of a window becomes part of it where that is the same, as in every engine.

    Raises
    ------
    UnsupportedError
        Other engines cannot be told of a layer.
    """
    borders: dict[int, Call] = {}  # by their outputs
    told: set[int] = set()  # borders that are steps of their own
    rectified: set[int] = set()
    steps: list[Step] = []

    def emit(slot: int) -> None:
        """The step of a border, where it is one and has none yet."""
        if slot in borders and slot not in told:
            told.add(slot)
            (source,) = borders[slot].sources()
            emit(source)
            steps.append(_border(borders[slot], source))

    for call in model.program.calls:
        kind, sources, output = type(call.layer).__name__, call.sources(), call.outputs[0]
        if kind in BORDERS:
            borders[output] = call
            continue
        extra = NO_SIDES
        before = borders.get(sources[0])
        if before is not None and _joins(before, kind, rectified):
            (sources[0],), extra = before.sources(), before.layer.padding  # pyright: ignore[reportAttributeAccessIssue]
        for source in sources:
            emit(source)
        step = {**_step(call, kind, extra), "inputs": sources, "output": output}
        if step["activation"] in RECTIFIED or (kind in LEVEL and rectified.issuperset(sources)):
            rectified.add(output)
        steps.append(step)
    for slot in model.program.outputs:
        emit(slot)
    return steps


def _joins(border: Call, kind: str, rectified: set[int]) -> bool:
    """Whether zeros around a window's input are what the window's own padding would be."""
    zeros = type(border.layer).__name__ == "ZeroPadding2D"
    return zeros and kind in PADDED and (kind != "MaxPooling2D" or border.sources()[0] in rectified)


def _border(call: Call, source: int) -> Step:
    """A padding or, with numbers below 0, a cropping."""
    layer: Any = call.layer
    argument, sign = BORDERS[type(layer).__name__]
    sides = [[sign * before, sign * after] for before, after in getattr(layer, argument)]
    places = {"inputs": [source], "output": call.outputs[0]}
    return {"kind": "ZeroPadding2D", "layer": layer.name, "activation": None, "padding": sides, **places}


def _step(call: Call, kind: str, extra: Sides) -> Step:
    """One call without its place in the graph."""
    layer: Any = call.layer
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        raise _untold(layer, "channels first")
    step = {"kind": kind, "layer": layer.name, "activation": _activation(layer, kind)}
    if kind in WINDOWS:
        return {**step, **_window(layer, extra)}
    if kind in ("Rescaling", "Normalization") or (kind == "Operation" and len(call.sources()) == 1):
        return {**step, "kind": "Affine", **_affine(call, kind)}
    if kind in ("Flatten", "Reshape"):
        return {**step, **_shapes(layer, kind)}
    if kind == "Operation" and layer.function in ("Add", "Multiply"):
        return {**step, "kind": layer.function}
    last = {"Concatenate": "axis", "LayerNormalization": "axis"}.get(kind)
    if kind not in KNOWN or (last and getattr(layer, last) not in (-1, len(layer.output.shape) - 1)):
        raise _untold(layer, kind)
    if kind == "LayerNormalization" and not (layer.center and layer.scale):
        raise _untold(layer, "a LayerNormalization without beta or gamma")
    if kind == "Dense":
        step["rank"] = len(layer.input.shape)
    return {**step, **{option: getattr(layer, option) for option in KNOWN[kind]}}


def _untold(layer: Any, what: str) -> UnsupportedError:
    return UnsupportedError(f"layer {layer.name}: other engines cannot be told of {what}")


def _window(layer: Any, extra: Sides) -> Step:
    """Taps, strides and the zeros on all sides."""
    x = layer.input.shape[1:3]
    taps = getattr(layer, "pool_size", None) or layer.kernel_size
    dilation = pair(getattr(layer, "dilation_rate", 1), "dilation_rate")
    unpadded = [n - sum(side) for n, side in zip(x, extra)]
    same = layer.padding == "same"
    own = [same_padding(*sizes) if same else (0, 0) for sizes in zip(x, taps, layer.strides, dilation)]
    sides = [(a + c, b + d) for (a, b), (c, d) in zip(own, extra)]
    window = {"taps": taps, "strides": layer.strides, "dilation": dilation, "groups": getattr(layer, "groups", 1)}
    return {**window, "size": unpadded, "padding": sides}


def _affine(call: Call, kind: str) -> Step:
    """y = scale x + offset, each a number or one for each channel."""
    layer: Any = call.layer
    if kind == "Rescaling":
        scale, offset = np.asarray(layer.scale), np.asarray(layer.offset)
    elif kind == "Operation":
        numbers = [np.asarray(value) for value in call.arguments if not isinstance(value, Slot)]
        if layer.function not in ("Add", "Multiply"):
            raise _untold(layer, layer.function)
        scale, offset = (*numbers, np.zeros(1)) if layer.function == "Multiply" else (np.ones(1), *numbers)
    else:
        mean, deviation = layer.mean_and_deviation()
        scale, offset = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    of_channels = all(array.size in (1, layer.input.shape[-1]) for array in (scale, offset))
    if not of_channels or len(layer.input.shape) != 4:
        raise _untold(layer, kind)
    return {"scale": scale.ravel().tolist(), "offset": offset.ravel().tolist()}


def _shapes(layer: Any, kind: str) -> Step:
    """Of one pixel, the channels are a row already; of more, they lie in another order elsewhere."""
    before, after = layer.input.shape[1:], layer.output.shape[1:]
    if kind == "Flatten" or (len(after) == 1 and before[:-1] == (1, 1)):
        return {"kind": "Flatten", "shape": before}
    if after[:-1] == (1, 1) and before in (after, after[-1:]):
        return {"kind": "Pixel"}
    raise _untold(layer, f"a Reshape of {before} to {after}")


def _activation(layer: Any, kind: str) -> str | None:
    """The name of the activation that follows."""
    if kind == "ReLU":
        if layer.known_name is None:
            raise _untold(layer, "this ReLU")
        return layer.known_name
    name = getattr(layer, "activation", None)
    if name not in (None, "linear", *ACTIVATIONS):
        raise _untold(layer, f"the activation {name if isinstance(name, str) else type(name).__name__}")
    return None if name == "linear" else name
