"""A network as other engines can build it: its steps as plain values, its weights by layer, in files.

Weights are drawn at random (He et al., "Delving Deep into Rectifiers", 2015), and the statistics of each batch
normalisation are those of random pictures, so that no signal grows or fades on its way and a difference shows.
"""

import json
from collections import defaultdict
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn import Tensor, no_grad
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels import pair, same_padding
from minicnn.layers.symbolic import map_arguments
from minicnn.models import Model
from minicnn.models.graph import Call, Slot

from .cases import Layer
from .shapes import build

Sides = tuple[tuple[int, int], tuple[int, int]]
MOST_WEIGHTS = 1 << 28
ENOUGH_PIXELS = 16  # of a map for its statistics: of a small picture, one is left at the end, without a variance
WINDOWS = ("Conv2D", "DepthwiseConv2D", "MaxPooling2D")
OTHERS = ("BatchNormalization", "Add", "Dense", "Flatten", "Reshape", "Dropout", "GlobalAveragePooling2D")


class Network(NamedTuple):
    """An architecture for images of a size, as it lies in files that any engine can read."""

    name: str
    size: int
    classes: int
    steps: str
    config: str  # as Keras reads it
    weights: str

    def as_json(self) -> dict[str, Any]:
        return self._asdict()


def write(name: str, size: int, folder: Path, classes: int = 1000) -> Network:
    """Draw the weights of an architecture and write what the engines need to a folder.

    Raises
    ------
    ArgumentError, ShapeError, UnsupportedError
        There is no such architecture, it does not take such pictures or is too large for them, or it has layers that
        others cannot be told.
    """
    model = build(name, size, classes)
    if model.count_params() > MOST_WEIGHTS:
        count = f"{model.count_params():,} weights"
        raise ArgumentError(f"{name} for images of {size} x {size} has {count}; at most {MOST_WEIGHTS:,} are timed")
    told = describe(model)
    draw(model)
    stem = folder / f"{name.lower()}-{size}-{classes}"
    steps, config, weights = (stem.with_suffix(ending) for ending in (".steps.json", ".keras.json", ".npz"))
    steps.write_text(json.dumps(told), "utf-8")
    config.write_text(model.to_json(), "utf-8")
    arrays = {f"{layer.name}/{i}": w for layer in model.layers for i, w in enumerate(layer.get_weights())}
    with open(weights, "wb") as file:
        np.savez(file, **arrays)
    return Network(model.metadata["architecture"], size, classes, str(steps), str(config), str(weights))


def read(network: dict[str, Any]) -> Model:
    """minicnn's own model of what `write` wrote."""
    model = build(network["name"], network["size"], network["classes"])
    with np.load(network["weights"]) as arrays:
        for layer in model.layers:
            layer.set_weights([arrays[f"{layer.name}/{i}"] for i in range(len(layer.weights))])
    return model


def draw(model: Model, pictures: np.ndarray | None = None) -> None:
    """Random weights, and the statistics of pictures (N,H,W,C), random ones where none are given."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        for weight in layer.weights:
            if type(layer).__name__ == "LayerScale":  # which begins so small that nothing of its branch would be seen
                weight.adopt(np.full(weight.shape, 0.3, np.float32))
            elif len(weight.shape) > 1:
                depthwise = type(layer).__name__ == "DepthwiseConv2D" or weight.name == "depthwise_kernel"
                fan_in = np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
                weight.adopt(generator.standard_normal(weight.shape, np.float32) * np.float32(np.sqrt(2 / fan_in)))
    program = model.program
    if pictures is None:
        normalised = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
        pixels = min((prod(side or 1 for side in layer.output.shape[1:-1]) for layer in normalised), default=1)
        count = max(1, ENOUGH_PIXELS // pixels)
        pictures = generator.standard_normal((count, *model.input_shape[1:]), np.float32)
    values = {program.inputs[0]: Tensor(pictures)}
    with no_grad():
        for call in program.calls:
            arguments = map_arguments(call.arguments, lambda v: values[v.index] if isinstance(v, Slot) else v)
            x, weights = values[call.sources()[0]].numpy(), call.layer.get_weights()
            if type(call.layer).__name__ == "BatchNormalization":
                call.layer.set_weights([*weights[:-2], x.mean((0, 1, 2)), x.var((0, 1, 2))])
            elif call.layer is model.layers[-1] and weights:  # else its softmax would see one class alone
                call.layer.set_weights([weights[0] / (x @ weights[0]).std(), *weights[1:]])
            values[call.outputs[0]] = call.layer(*arguments, training=False)


def describe(model: Model) -> list[dict[str, Any]]:
    """The calls of a model in order: kind, layer, inputs and output as numbers, window and activation.

    A padding in front of a window becomes part of it, as in every engine.
    """
    paddings: dict[int, tuple[int, Sides]] = {}  # the output of a padding: (its input, the sides)
    rectified: set[int] = set()
    steps: list[dict[str, Any]] = []
    for call in model.program.calls:
        layer: Any = call.layer
        kind, sources = type(layer).__name__, call.sources()
        if kind == "ZeroPadding2D":
            paddings[call.outputs[0]] = sources[0], layer.padding
            continue
        (sources[0], extra) = paddings.get(sources[0], (sources[0], ((0, 0), (0, 0))))
        step = _step(call, kind, extra)
        if any(map(sum, extra)) and ((kind == "MaxPooling2D" and sources[0] not in rectified) or kind not in WINDOWS):
            raise UnsupportedError(f"layer {layer.name}: other engines cannot be told of the padding before it")
        if step["activation"] in ("relu", "relu6"):
            rectified.add(call.outputs[0])
        steps.append({**step, "inputs": sources, "output": call.outputs[0]})
    return steps


def convolutions(model: Model) -> dict[Layer, list[str]]:
    """The distinct convolutions of a model as its plan runs them, depthwise ones apart, with the layers' names."""
    found: defaultdict[Layer, list[str]] = defaultdict(list)
    for step in describe(model):
        if step["kind"] == "Conv2D":
            channels, filters = model.get_layer(step["layer"]).get_weights()[0].shape[2:]
            sides: Any = tuple(step["padding"])
            sizes = (*step["size"], channels * step["groups"]), tuple(step["taps"]), filters, tuple(step["strides"])
            found[Layer(*sizes, sides, tuple(step["dilation"]), step["groups"])].append(step["layer"])
    return dict(found)


def _step(call: Call, kind: str, extra: Sides) -> dict[str, Any]:
    """One call without its place in the graph."""
    layer: Any = call.layer
    step = {"kind": kind, "layer": layer.name, "activation": _activation(layer, kind)}
    if kind in WINDOWS:
        x = layer.input.shape[1:3]
        taps = layer.pool_size if kind == "MaxPooling2D" else layer.kernel_size
        dilation = pair(getattr(layer, "dilation_rate", 1), "dilation_rate")
        same = layer.padding == "same"
        own = [same_padding(*sizes) if same else (0, 0) for sizes in zip(x, taps, layer.strides, dilation)]
        sides = [(a + c, b + d) for (a, b), (c, d) in zip(own, extra)]
        window = {"taps": taps, "strides": layer.strides, "dilation": dilation, "groups": getattr(layer, "groups", 1)}
        unpadded = [n - sum(side) for n, side in zip(x, extra)]
        return {**step, **window, "size": unpadded, "padding": sides}
    if kind == "BatchNormalization":
        return {**step, "epsilon": layer.epsilon, "momentum": layer.momentum}
    if kind == "Dropout":
        return {**step, "rate": layer.rate}
    if kind == "GlobalAveragePooling2D":
        return {**step, "keepdims": layer.keepdims}
    if kind == "Flatten":
        return {**step, "shape": layer.input.shape[1:]}
    if kind not in (*OTHERS, "Activation", "ReLU"):
        raise UnsupportedError(f"layer {layer.name}: other engines cannot be told of {kind}")
    return step


def _activation(layer: Any, kind: str) -> str | None:
    """None, "relu", "relu6" or "softmax"."""
    if kind == "ReLU":
        name = {None: "relu", 6.0: "relu6"}.get(layer.max_value)
        if name is None or layer.negative_slope or layer.threshold:
            raise UnsupportedError(f"layer {layer.name}: other engines cannot be told of this ReLU")
        return name
    name = getattr(layer, "activation", None)
    return None if name in (None, "linear") else name
