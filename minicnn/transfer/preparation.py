"""How a picture becomes a model's input; it is saved with the model, so that prediction repeats it exactly.

{"class_names": ["cat", "dog"], "input_size": [224, 224], "resize": {...}, "preprocessing": "tf", "minicnn": "0.1.0"}
"""

import warnings
from collections.abc import Mapping
from typing import Any

from minicnn.errors import ArgumentError, FileFormatError, UnsupportedError
from minicnn.layers import Normalization, Operation, Rescaling
from minicnn.preparation import MODES, Preparation, ResizeRule, has_channels_first
from minicnn.weights.identify import identify

DEFAULT_SIDE = 224


def preparation_of(
    model: Any, path: str, *, size: int | None = None, resize: str | None = None, preprocessing: str | None = None
) -> Preparation:
    """
    The preparation that a model's file names, with the caller's choices in its place.

    Raises
    ------
    ArgumentError
        Neither says how pixels are prepared, or the model does not take pictures of that size.
    FileFormatError
        The file's metadata is damaged.
    UnsupportedError
        The model does not take pictures.
    """
    stored: Mapping[str, Any] = model.metadata
    height, width, channels, first = _model_input(model, path)
    mode = mode_of(path, stored.get("preprocessing"), preprocessing)
    if mode is None:
        raise ArgumentError(
            f"{path} does not say how pixels are prepared: add --preprocessing {'|'.join(MODES)}, which --help explains"
            f"{_usual(model)}"
        )
    if mode not in MODES:
        raise FileFormatError(f"{path}: its metadata names the preprocessing {mode!r}; known are {', '.join(MODES)}")
    if "resize" in stored and size is None and resize is None:
        rule = _stored_rule(stored["resize"], path)
    else:
        rule = ResizeRule((size or height or DEFAULT_SIDE, size or width or DEFAULT_SIDE), resize or "crop")
    preparation = Preparation(rule, mode, channels, first)
    taken = (height or preparation.size[0], width or preparation.size[1])
    if taken != preparation.size:
        asked = " × ".join(map(str, preparation.size))
        raise ArgumentError(f"{path} takes pictures of {height} × {width} pixels, not of {asked}")
    return preparation


def _usual(model: Any) -> str:
    """What is said of the preprocessing of a model that begins with it, or of a known network; else nothing."""
    found, prepares = identify(weight.shape for weight in model.weights), _prepares(model)
    mode = "none" if found is None else found.architecture.preprocessing
    if mode == "none" and not prepares:  # unknown, or without the layers that it would begin with
        return ""
    if found is None or (prepares and mode != "none"):
        return "; it begins with layers that compute with the pixels, which usually means none"
    return f"; it looks like {found.architecture}, which usually takes {mode}"


def _prepares(model: Any) -> bool:
    """Whether layers before the first one that learns compute with the pixels."""
    for layer in (call.layer for call in model.program.calls):
        if isinstance(layer, Rescaling | Normalization | Operation):
            return True
        if layer.weights:
            return False
    return False


def mode_of(what: str, usual: Any, chosen: str | None) -> Any:
    """The preprocessing that was chosen, with a warning where it is not the usual one; else that one."""
    if chosen is not None and usual is not None and chosen != usual:
        message = f"pixels are prepared as {usual!r} for {what}; {chosen!r} is used instead, as you chose"
        warnings.warn(message, stacklevel=3)
    return chosen or usual


def _model_input(model: Any, path: str) -> tuple[int | None, int | None, int, bool]:
    """(height, width, channels, whether these come first) of a model's input; None where it takes any."""
    shape = model.inputs[0].shape
    if has_channels_first(shape):
        return shape[2], shape[3], shape[1], True
    if len(shape) != 4 or shape[3] not in (1, 3):
        said = "pictures are (height, width, 3), or (height, width, 1) when grey"
        raise UnsupportedError(f"{path} takes inputs of shape {shape[1:]}; {said}")
    return shape[1], shape[2], shape[3], False


def _stored_rule(stored: Any, path: str) -> ResizeRule:
    try:
        return ResizeRule.from_dict(stored)
    except ArgumentError as error:
        raise FileFormatError(f"{path}: its metadata is damaged: {error}") from None


def class_count(model: Any) -> int:
    """How many classes a model tells apart: two where its one output is the probability of the second."""
    outputs = model.outputs[0].shape[-1] or 0
    return 2 if outputs == 1 else outputs


def class_names_of(model: Any, path: str) -> list[str]:
    """
    The names of a model's classes, in the order of its outputs; empty when its file does not say.

    Raises
    ------
    FileFormatError
        The metadata is damaged or does not fit the outputs.
    """
    names, classes = model.metadata.get("class_names", []), class_count(model)
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise FileFormatError(f"{path}: the class names in its metadata are not a list of texts")
    if names and len(names) != classes:
        raise FileFormatError(f"{path} tells {classes} classes apart, but its metadata names {len(names)}")
    return list(names)
