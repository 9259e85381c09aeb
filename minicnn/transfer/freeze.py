"""Freezing and unfreezing layers by name, with the one rule for BatchNormalization written down in one place.

A frozen layer's weights do not change, and a frozen BatchNormalization uses its stored statistics, as in prediction.
Unfreezing keeps BatchNormalization frozen unless asked otherwise: statistics of small batches would destroy what
the layers around it have learned.
"""

import contextlib
import difflib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from minicnn.arguments import one_of, whole_number
from minicnn.errors import ArgumentError
from minicnn.models.network import Network

BATCHNORM_MODES = ("keep-frozen", "train")
LAST_NAMED = 6  # layers that a refusal names


def network_of(owner: str, model: Any) -> Any:
    """A network, or that of a `Base`.

    Raises
    ------
    ArgumentError
        It is something else, such as the name of a base.
    """
    network = getattr(model, "model", model)
    if not isinstance(network, Network):
        kind = type(model).__name__
        raise ArgumentError(f"{owner} takes a model, or a base as load_base gives it; it is of type {kind}")
    return network


def leaf_layers(model: Any) -> Iterator[Any]:
    """The layers of a model in order, nested models replaced by their own layers."""
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from leaf_layers(layer)
        else:
            yield layer


def freeze(model: Any, until: str | None = None, *, pattern: str | None = None) -> list[str]:
    """
    Freeze all layers, those up to and with the one called `until`, or those whose names fit a pattern.

    Parameters
    ----------
    until : str, optional
        A layer's name, or the beginning of names: then the first of them.
    pattern : str, optional
        With * for any text and ? for any character: "block1_*".

    Returns
    -------
    list of str
        Names of the layers that are frozen now and have weights.

    Raises
    ------
    ArgumentError
        There is no such layer, or both are given.

    Examples
    --------
    >>> frozen = freeze(model, until="block4_pool")  # doctest: +SKIP
    """
    layers = list(leaf_layers(network_of("freeze", model)))
    _at_most_one(until=until, pattern=pattern)
    chosen = layers if until is None else layers[: find_layer(layers, until) + 1]
    for layer in chosen if pattern is None else _fitting(layers, pattern):
        layer.trainable = False
    return [layer.name for layer in layers if layer.weights and not layer.trainable]


def unfreeze(
    model: Any,
    from_layer: str | None = None,
    batchnorm: str = "keep-frozen",
    *,
    last: int | None = None,
    pattern: str | None = None,
) -> list[str]:
    """
    Make layers trainable: all, or those that are named; the others stay as they are.

    Parameters
    ----------
    from_layer : str, optional
        From this layer on: its name, or the beginning of names ("block5", "conv5"): then the first of them.
    batchnorm : str
        "keep-frozen" leaves every BatchNormalization as it is; "train" unfreezes those too.
    last : int, optional
        So many of the last layers with weights, each BatchNormalization counted with the layer before it.
    pattern : str, optional
        The layers whose names fit, with * for any text and ? for any character: "block5_*".

    Returns
    -------
    list of str
        Names of the layers that are trainable now and have weights.

    Raises
    ------
    ArgumentError
        There is no such layer or mode, or layers are named in two ways.

    Examples
    --------
    >>> from minicnn.applications import VGG16
    >>> model = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    >>> frozen = freeze(model)
    >>> unfreeze(model, pattern="block5_*")
    ['block5_conv1', 'block5_conv2', 'block5_conv3']
    >>> frozen = freeze(model)
    >>> unfreeze(model, last=1)
    ['block5_conv3']
    """
    one_of("unfreeze", "batchnorm", batchnorm, BATCHNORM_MODES)
    _at_most_one(from_layer=from_layer, last=last, pattern=pattern)
    layers = list(leaf_layers(network_of("unfreeze", model)))
    for layer in _chosen(layers, from_layer, last, pattern):
        if batchnorm == "train" or type(layer).__name__ != "BatchNormalization":
            layer.trainable = True
    return [layer.name for layer in layers if layer.weights and layer.trainable]


@contextlib.contextmanager
def flags_kept(layers: Iterable[Any]) -> Iterator[None]:
    """Whatever `trainable` flags are changed in the block are as before at its end."""
    flags = [(layer, layer.trainable) for layer in layers]
    try:
        yield
    finally:
        for layer, flag in flags:
            layer.trainable = flag


def _chosen(layers: list[Any], from_layer: str | None, last: int | None, pattern: str | None) -> list[Any]:
    """The layers that the arguments of `unfreeze` mean."""
    if pattern is not None:
        return _fitting(layers, pattern)
    if last is not None:
        learning = [position for position, layer in enumerate(layers) if is_trained(layer)]
        if whole_number("unfreeze", "last", last, 1) > len(learning):
            raise ArgumentError(f"unfreeze: last={last}, but {len(learning)} layers have weights to train")
        return layers[learning[-last] :]
    return layers if from_layer is None else layers[find_layer(layers, from_layer) :]


def _fitting(layers: list[Any], pattern: str) -> list[Any]:
    """The layers whose names fit a pattern."""
    found = [layer for layer in layers if fnmatchcase(layer.name, pattern)]
    if not found:
        raise ArgumentError(f"no layer has a name like {pattern!r}; {_last_names(layers)}")
    return found


def _at_most_one(**choices: Any) -> None:
    """Raise ArgumentError where layers are named in several ways."""
    given = [name for name, value in choices.items() if value is not None]
    if len(given) > 1:
        raise ArgumentError(f"give one of {', '.join(choices)}; {' and '.join(given)} are given")


def find_layer(layers: list[Any], name: str) -> int:
    """
    Position of the layer with this name, or of the first whose name begins with it.

    Raises
    ------
    ArgumentError
        None does; the message lists names that can be given.
    """
    names = [layer.name for layer in layers]
    if name in names:
        return names.index(name)
    for position, candidate in enumerate(names):
        if name and candidate.startswith(name):
            return position
    similar = difflib.get_close_matches(name, [layer.name for layer in layers if not _is_input(layer)], n=3)
    near = f"similar names: {', '.join(similar)}; " if similar else ""
    raise ArgumentError(
        f"there is no layer {name!r} in the model; {near}{_last_names(layers)} (the beginning of a name is enough)"
    )


def _last_names(layers: list[Any]) -> str:
    """The last layers that can be named, in words."""
    last = [layer.name for layer in reversed(layers) if is_trained(layer)]
    more = " …" if len(last) > LAST_NAMED else ""
    return f"the last layers with weights: {', '.join(last[:LAST_NAMED])}{more}"


def is_trained(layer: Any) -> bool:
    """Whether a layer learns when it is unfrozen with BatchNormalization kept frozen."""
    return bool(layer.weights) and type(layer).__name__ != "BatchNormalization"


def _is_input(layer: Any) -> bool:
    return type(layer).__name__ == "InputLayer"
