"""Freezing and unfreezing layers by name, with the one rule for BatchNormalization written down in one place.

A frozen layer's weights do not change, and a frozen BatchNormalization uses its stored statistics, as in prediction.
Unfreezing keeps BatchNormalization frozen unless asked otherwise: statistics of small batches would destroy what
the layers around it have learned.
"""

import difflib
from collections.abc import Iterator
from typing import Any

from minicnn.errors import ArgumentError

BATCHNORM_MODES = ("keep-frozen", "train")
LAST_NAMED = 6  # layers that a refusal names


def leaf_layers(model: Any) -> Iterator[Any]:
    """The layers of a model in order, nested models replaced by their own layers."""
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from leaf_layers(layer)
        else:
            yield layer


def freeze(model: Any, until: str | None = None) -> list[str]:
    """
    Freeze all layers, or those up to and with the one called `until`.

    Returns
    -------
    list of str
        Names of the layers that are frozen now and have weights.

    Raises
    ------
    ArgumentError
        There is no such layer.

    Examples
    --------
    >>> frozen = freeze(model, until="block4_pool")  # doctest: +SKIP
    """
    layers = list(leaf_layers(model))
    last = len(layers) if until is None else find_layer(layers, until)
    for layer in layers[: last + 1]:
        layer.trainable = False
    return [layer.name for layer in layers if layer.weights and not layer.trainable]


def unfreeze(model: Any, from_layer: str | None = None, batchnorm: str = "keep-frozen") -> list[str]:
    """
    Make layers trainable: all, or those from `from_layer` on; what lies before it stays as it is.

    Parameters
    ----------
    from_layer : str, optional
        A layer's name, or the beginning of names ("block5", "conv5"): then the first of them.
    batchnorm : str
        "keep-frozen" leaves every BatchNormalization as it is; "train" unfreezes those too.

    Returns
    -------
    list of str
        Names of the layers that are trainable now and have weights.

    Raises
    ------
    ArgumentError
        There is no such layer or mode.

    Examples
    --------
    >>> trained = unfreeze(model, "block5")  # doctest: +SKIP
    """
    if batchnorm not in BATCHNORM_MODES:
        raise ArgumentError(f"batchnorm is {batchnorm!r}; expected one of {', '.join(BATCHNORM_MODES)}")
    layers = list(leaf_layers(model))
    for layer in layers[0 if from_layer is None else find_layer(layers, from_layer) :]:
        if batchnorm == "train" or type(layer).__name__ != "BatchNormalization":
            layer.trainable = True
    return [layer.name for layer in layers if layer.weights and layer.trainable]


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
    last = [layer.name for layer in reversed(layers) if is_trained(layer)]
    more = " …" if len(last) > LAST_NAMED else ""
    raise ArgumentError(
        f"there is no layer {name!r} in the model; {near}the last layers with weights: "
        f"{', '.join(last[:LAST_NAMED])}{more} (the beginning of a name is enough)"
    )


def is_trained(layer: Any) -> bool:
    """Whether a layer learns when it is unfrozen with BatchNormalization kept frozen."""
    return bool(layer.weights) and type(layer).__name__ != "BatchNormalization"


def _is_input(layer: Any) -> bool:
    return type(layer).__name__ == "InputLayer"
