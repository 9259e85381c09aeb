"""What a model says about its weights, so that files can be matched to it without knowing layers or tensors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MODELS = ("Sequential", "Functional", "Model")
PARTS = {  # of wrappers: the groups of what they hold in Keras 3 files, and where it is in their configs
    "Bidirectional": {"forward_layer": "layer", "backward_layer": "backward_layer"},
    "TimeDistributed": {"layer": "layer"},
}


@dataclass(frozen=True)
class WeightSpec:
    """One weight of a layer.

    Attributes
    ----------
    name : str
        Keras' name of it in the layer: "kernel", "bias", "gamma", "moving_mean", ...
    shape : tuple of int
    trainable : bool
        Whether training may change it now; legacy files list these first.
    dtype : str
        As which it is read: "float32" or "float64".
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    dtype: str = "float32"


@dataclass(frozen=True)
class LayerSpec:
    """One layer, or a model with its layers.

    Attributes
    ----------
    name, class_name : str
        As Keras has them; a nested model is a "Functional" or a "Sequential".
    weights : sequence of WeightSpec
        The layer's own weights in Keras' order; empty for a model.
    layers : sequence of LayerSpec or None
        All layers of a model, those without weights too, in the order of `model.layers`
        (for a functional model Keras' depth-sorted order), or the layers that a wrapper holds; None for another layer.
    part : str
        Of a layer in a wrapper: its group in that of the wrapper, in a Keras 3 file ("forward_layer").
    weights_group : str
        Where in the layer's group of a Keras 3 file its weights are, when they have a group of their own ("cell").
    channels_first : bool
        Whether the layer takes images as (C,H,W).
    """

    name: str
    class_name: str
    weights: tuple[WeightSpec, ...] | list[WeightSpec] = field(default_factory=tuple)
    layers: "tuple[LayerSpec, ...] | list[LayerSpec] | None" = None
    part: str = ""
    weights_group: str = ""
    channels_first: bool = False

    @property
    def is_wrapper(self) -> bool:
        """Whether it is a layer that holds layers, no model."""
        return self.layers is not None and self.class_name not in MODELS


@dataclass(frozen=True)
class Leaf:
    """A layer that has weights, and its place in the model.

    Attributes
    ----------
    containers : tuple of str
        Names of the nested models around it, the outermost model left out.
    group : str
        Its group in a Keras 3 file: "layers/functional/layers/conv2d_1".
    first : int
        The index of its first weight among all weights of the model.
    """

    layer: LayerSpec
    containers: tuple[str, ...]
    group: str
    first: int

    @property
    def names(self) -> tuple[str, ...]:
        """The nested models' names, then the layer's."""
        return (*self.containers, self.layer.name)

    @property
    def path(self) -> str:
        """ "base/block1_conv1": the names as one."""
        return "/".join(self.names)


def leaves(spec: LayerSpec) -> list[Leaf]:
    """Every layer that has weights, depth first; weights are numbered in this order.

    Examples
    --------
    >>> dense = LayerSpec("fc", "Dense", [WeightSpec("kernel", (4, 2)), WeightSpec("bias", (2,))])
    >>> outer = LayerSpec("m", "Sequential", layers=[LayerSpec("base", "Sequential", layers=[dense]), dense])
    >>> [(leaf.path, leaf.group, leaf.first) for leaf in leaves(outer)]
    [('base/fc', 'layers/sequential/layers/dense', 0), ('fc', 'layers/dense', 2)]
    """
    found: list[Leaf] = []
    _collect(spec, (), "", found)
    return found


def _collect(model: LayerSpec, containers: tuple[str, ...], place: str, found: list[Leaf]) -> None:
    for group, layer in groups(model, place):
        if layer.layers is not None:
            _collect(layer, (*containers, layer.name), f"{group}/", found)
        elif layer.weights:
            last = found[-1] if found else None
            found.append(Leaf(layer, containers, group, last.first + len(last.layer.weights) if last else 0))


def groups(model: LayerSpec, place: str = "") -> Iterator[tuple[str, LayerSpec]]:
    """(group in a Keras 3 file, layer): class names in snake case, numbered by class among all layers of a model.

    The layers of a wrapper have their groups by what they are for it.
    """
    count: dict[str, int] = {}
    for layer in model.layers or ():
        if layer.part:
            yield f"{place}{layer.part}", layer
            continue
        name = snake_case(layer.class_name)
        number = count[name] = count.get(name, -1) + 1
        yield f"{place}layers/{name}{f'_{number}' if number else ''}", layer


def snake_case(class_name: str) -> str:
    """The name of a class in the groups of a Keras 3 file.

    Source: keras 3, utils/naming.py.

    Examples
    --------
    >>> [snake_case(name) for name in ("Conv2D", "ReLU", "PReLU", "BatchNormalization")]
    ['conv2d', 're_lu', 'p_re_lu', 'batch_normalization']
    """
    words = re.sub(r"\W+", "", class_name)
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", words)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
