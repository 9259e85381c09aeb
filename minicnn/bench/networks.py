"""A network as other engines can build it: its steps as plain values, its weights by layer, in files.

Weights are drawn at random (He et al., "Delving Deep into Rectifiers", 2015), and the statistics of each batch
normalisation are those of random pictures, so that no signal grows or fades on its way and a difference shows.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minicnn import Tensor, no_grad
from minicnn.errors import ArgumentError
from minicnn.layers.symbolic import map_arguments
from minicnn.models import Model, model_from_json
from minicnn.models.graph import Slot

from .cases import Layer
from .shapes import build
from .steps import describe

PREPARED, PIXELS = (0.0, 1.0), (128.0, 64.0)
MOST_WEIGHTS = 1 << 29
ENOUGH_PIXELS = 128  # of a map for its statistics: of fewer, those of other pictures differ and grow on their way


class Network(NamedTuple):
    """An architecture for images of a size, as it lies in files that any engine can read."""

    name: str
    size: int
    classes: int
    steps: str
    config: str  # as Keras reads it
    weights: str
    mean: float  # of the numbers in pictures
    deviation: float

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
    arrays = {f"{layer.name}/{i}": w for layer in _layers(model) for i, w in enumerate(layer.get_weights())}
    with open(weights, "wb") as file:
        np.savez(file, **arrays)
    paths = str(steps), str(config), str(weights)
    return Network(model.metadata["architecture"], size, classes, *paths, *spread(model))


def spread(model: Model) -> tuple[float, float]:
    """Mean and deviation of the numbers that a model takes: of pixels, where it scales them by itself."""
    return PIXELS if model.metadata.get("preprocessing") == "none" else PREPARED


def read(network: dict[str, Any]) -> Model:
    """minicnn's own model of what `write` wrote."""
    model = model_from_json(Path(network["config"]).read_text("utf-8"))
    with np.load(network["weights"]) as arrays:
        for layer in _layers(model):
            layer.set_weights([arrays[f"{layer.name}/{i}"] for i in range(len(layer.weights))])
    return model


def _layers(model: Any) -> Iterator[Any]:
    """The layers, those of nested models in their place."""
    for layer in model.layers:
        yield from _layers(layer) if hasattr(layer, "layers") else [layer]


def draw(model: Model, images: np.ndarray | None = None) -> None:
    """Random weights, and the statistics of pictures (N,H,W,C), random ones where none are given."""
    generator = np.random.default_rng(0)
    for layer in _layers(model):
        for weight in layer.weights:
            if type(layer).__name__ == "LayerScale":  # which begins so small that nothing of its branch would be seen
                weight.adopt(np.full(weight.shape, 0.3, np.float32))
            elif len(weight.shape) > 1:
                depthwise = type(layer).__name__ == "DepthwiseConv2D" or weight.name == "depthwise_kernel"
                fan_in = np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
                weight.adopt(generator.standard_normal(weight.shape, np.float32) * np.float32(np.sqrt(2 / fan_in)))
    program = model.program
    if images is None:
        normalised = [layer for layer in _layers(model) if type(layer).__name__ == "BatchNormalization"]
        maps = [prod(side or 1 for side in layer.output.shape[1:-1]) for layer in normalised]
        count = max(1, ENOUGH_PIXELS // min(maps, default=ENOUGH_PIXELS))
        mean, deviation = map(np.float32, spread(model))
        images = generator.standard_normal((count, *model.input_shape[1:]), np.float32) * deviation + mean
    values = {program.inputs[0]: Tensor(images)}
    with no_grad():
        for call in program.calls:
            arguments = map_arguments(call.arguments, lambda v: values[v.index] if isinstance(v, Slot) else v)
            x, weights = values[call.sources()[0]].numpy(), call.layer.get_weights()
            if type(call.layer).__name__ == "BatchNormalization":
                call.layer.set_weights([*weights[:-2], x.mean((0, 1, 2)), x.var((0, 1, 2))])
            elif call.layer is model.layers[-1] and weights:  # else its softmax would see one class alone
                call.layer.set_weights([weights[0] / (x @ weights[0]).std(), *weights[1:]])
            values[call.outputs[0]] = call.layer(*arguments, training=False)


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
