"""Activations by name, as layers take them in their `activation` argument."""

from typing import Any

from minicnn import ops
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.ops.activation import NAMES

from .layer import Layer

LAYERS = ("ELU", "LeakyReLU", "ReLU", "Softmax")  # that may be the activation of another layer: they have no weights


def activation_of(activation: Any, layer: str) -> str | Layer:
    """The name of an activation, or one of LAYERS, or the config of one.

    Raises
    ------
    ArgumentError, UnsupportedError
        As `activation_name`; a layer that is not one of these.
    """
    if isinstance(activation, dict) and activation.get("class_name") in LAYERS:
        from . import CLASSES

        return CLASSES[activation["class_name"]].from_config(activation.get("config") or {})
    if isinstance(activation, Layer) and type(activation).__name__ in LAYERS:
        return activation
    return activation_name(activation, layer)


def activation_name(activation: Any, layer: str) -> str:
    """The name of an activation; None is "linear".

    Raises
    ------
    ArgumentError
        The name is unknown; the message lists the known ones.
    UnsupportedError
        A layer: its name may be that of a function, but its arguments may be others.
    """
    if activation is None:
        return "linear"
    kind = type(activation).__name__ if isinstance(activation, Layer) else None
    if isinstance(activation, dict):  # Keras writes functions as {"class_name": "function", "config": name}
        if isinstance(activation.get("config"), str):
            activation = activation["config"]
        else:
            kind = activation.get("class_name")
    if kind is not None:
        raise UnsupportedError(
            f"layer {layer}: its activation is a layer, {kind}; minicnn takes functions by name and, where it is no "
            f"recurrent layer, {', '.join(LAYERS)}: put the layer behind {layer}"
        )
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", repr(activation))
    if name not in NAMES:
        raise ArgumentError(f"layer {layer}: unknown activation {name!r}; known are {', '.join(NAMES)}")
    return name


def activate(x: Tensor, activation: str | Layer) -> Tensor:
    """f(x) for f by name, or a layer."""
    return ops.activation(x, activation) if isinstance(activation, str) else activation(x)
