"""What of a model decides how training goes on: weights, which of them are trained, the optimizer, random streams."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import seeds
from minicnn.errors import FileAccessError, GraphError, WeightsMismatchError
from minicnn.training.fingerprint import model_text
from minicnn.training.folder import CheckpointFolder, read_checkpoint


def model_state(model: Any) -> dict[str, Any]:
    """The state of a compiled model, as plain data; arrays are the model's own, not copies.

    "weights", moving statistics among them, in Keras' order; "trainable", of each layer; "optimizer", with the places
    of its parameters among the weights; "streams", the random generators that layers hold, and the one that seeds
    others.

    Raises
    ------
    GraphError
        The optimizer has state of weights that are not the model's.
    """
    weights, optimizer = model.weights, model.compilation.optimizer
    places = {id(weight): i for i, weight in enumerate(weights)}
    foreign = [parameter.name for parameter in optimizer.parameters if id(parameter) not in places]
    if foreign:
        raise GraphError(
            f"the optimizer of model {model.name} has state of weights of another model ({', '.join(foreign[:3])}): "
            "compile with an optimizer of its own"
        )
    return {
        "weights": [weight.numpy() for weight in weights],
        "trainable": [layer.trainable for layer in layers_below(model)],
        "optimizer": {"places": [places[id(p)] for p in optimizer.parameters], "state": optimizer.state()},
        "streams": {"seeds": seeds.state(), "layers": [stream.bit_generator.state for stream in random_streams(model)]},
    }


def load_model_state(model: Any, state: dict[str, Any]) -> None:
    """Give a model of the same structure the state of another; nothing else of it changes."""
    for layer, trainable in zip(layers_below(model), state["trainable"], strict=True):
        layer.trainable = trainable
    for weight, array in zip(model.weights, state["weights"], strict=True):
        weight.assign(array)
    optimizer, weights = model.compilation.optimizer, model.weights
    optimizer.forget()
    optimizer.build(weights[place] for place in state["optimizer"]["places"])
    optimizer.load_state(state["optimizer"]["state"])
    for stream, found in zip(random_streams(model), state["streams"]["layers"], strict=True):
        stream.bit_generator.state = found
    seeds.load_state(state["streams"]["seeds"])


def layers_below(layer: Any) -> Iterator[Any]:
    """The layers in a model, each before those that it is made of: models in it, and what wrappers hold."""
    inner = getattr(layer, "layers", None) or layer.inner_layers
    for child in inner:
        yield child
        yield from layers_below(child)


def random_streams(model: Any) -> list[np.random.Generator]:
    """The random generators that the layers of a model hold, each once."""
    found = {
        id(v): v for layer in layers_below(model) for v in vars(layer).values() if isinstance(v, np.random.Generator)
    }
    return list(found.values())


def weight_not_finite(model: Any) -> str | None:
    """The first weight of a model that is NaN or infinite, in words; None where all are finite."""
    for layer in layers_below(model):
        for weight in layer.weights:
            if not all_finite(weight.numpy()):
                return f"the {weight.name} of layer {layer.name}"
    return None


def not_finite(model: Any, state: dict[str, Any]) -> str | None:
    """What of the state of a model is first NaN or infinite, in words; None where all of it is finite."""
    if (place := weight_not_finite(model)) is not None:
        return place
    bad = [key for key, array in state["optimizer"]["state"].items() if not all_finite(array)]
    return f"the optimizer's {bad[0]}" if bad else None


def all_finite(*arrays: np.ndarray) -> bool:
    """Whether no number of these arrays is NaN or infinite."""
    with np.errstate(all="ignore"):  # the squares alone may overflow
        return all(
            array.dtype.kind != "f" or math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())
            for array in arrays
        )


def load_weights(model: Any, path: str | Path, best: bool = False) -> Path:
    """Give a model the weights that a training had at a checkpoint; its optimizer and all else stay as they are.

    Parameters
    ----------
    path : a checkpoint, or a folder of them, of which the newest whole one is taken
    best : of a folder, take the best checkpoint, by the figure that the training monitored

    Returns
    -------
    The file that the weights are from.

    Raises
    ------
    FileAccessError
        There is no checkpoint.
    FileFormatError
        It is damaged.
    WeightsMismatchError
        It is of another model.

    Examples
    --------
    >>> from minicnn import training
    >>> training.load_weights(model, "backup", best=True)                      # doctest: +SKIP
    """
    file, state = Path(path), None
    if file.is_dir():
        folder = CheckpointFolder(file, keep=1)
        found = folder.newest()
        if found is None:
            raise FileAccessError(f"there are no checkpoints in {file}")
        file, state = found
        if best:
            name = state["best"][1]
            if name is None:
                raise FileAccessError(
                    f"no checkpoint in {folder.path} is known as the best: that training monitored nothing"
                )
            file, state = folder.path / name, None
    state = read_checkpoint(file) if state is None else state
    stored, now = state["fingerprint"]["model"], model_text(model)
    if stored != now:
        raise WeightsMismatchError(f"{file} has the weights of {stored}; the model has {now}")
    for weight, array in zip(model.weights, state["model"]["weights"], strict=True):
        weight.assign(array)
    return file
