"""Grad-CAM: the last feature maps of a network, weighed by what they do for the score of a class."""

from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.explain.scores import Classes, checked, gradients_at
from minicnn.layers.window import WindowLayer
from minicnn.models.graph import Program

NAMED = 6  # layers that a refusal names


def grad_cam(model: Any, x: np.ndarray, classes: Classes = None, layer: str | None = None) -> np.ndarray:
    """
    L[n,i,j] = max(0, sum over k of α[n,k] A[n,i,j,k]) with α[n,k] = mean over i, j of ∂ score[n] / ∂ A[n,i,j,k].

    A (N,h,w,K) are the feature maps of a layer, the score is that of a class before the softmax.  The map is large
    where the picture speaks for the class.  Where a dense layer W follows on the mean of the maps, α is W / hw.

    Parameters
    ----------
    model : Model
        A classifier with one input and one output (N,C); with nested models, along one, two or three axes.
    x : float array (N,...)
        What the model takes, as `model.prepare` makes it.
    classes : int or ints (N,), optional
        The class to explain, for all or for each picture; the likeliest of each when None.
    layer : str, optional
        Whose outputs are the maps.  By default those of the last convolution, after the normalisation, addition and
        activation that follow it at the same size.

    Returns
    -------
    float32 array (N,h,w)
        At least 0; all 0 where nothing speaks for the class.

    Raises
    ------
    UnsupportedError
        The model has no convolution, or is no classifier.
    ArgumentError, ShapeError
        There is no such layer or class, or x does not fit.

    Source
    ------
    Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via gradient-based localization", 2017,
    equations 1 and 2.

    Examples
    --------
    >>> from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
    >>> from minicnn.models import Sequential
    >>> layers = [Input((8, 8, 3)), Conv2D(4, 3), GlobalAveragePooling2D(), Dense(2, activation="softmax")]
    >>> grad_cam(Sequential(layers), np.zeros((1, 8, 8, 3))).shape
    (1, 6, 6)
    """
    x, classes = checked(model, x, classes)
    maps = find_maps(model, x.shape, layer)
    values, gradients = gradients_at(model, x, classes, maps.slot)
    values, gradients = (np.moveaxis(array, maps.channels, -1) for array in (values, gradients))
    alpha = gradients.mean(axis=tuple(range(1, gradients.ndim - 1)), keepdims=True)
    return np.maximum((alpha * values).sum(axis=-1), 0).astype(np.float32)


@dataclass(frozen=True)
class Maps:
    """Where a program keeps feature maps, whose they are, and which of their axes are the channels."""

    slot: int
    layer: str
    channels: int


def find_maps(model: Any, shape: tuple[int, ...], layer: str | None = None) -> Maps:
    """
    The maps that Grad-CAM looks at, for inputs of a shape; raises as `grad_cam`.

    Parameters
    ----------
    layer : str, optional
        Whose maps; the default is that of `grad_cam`.
    """
    found = _all_maps(model.program, shape)
    if not any(convolution for _, _, convolution in found):
        raise UnsupportedError(
            f"model {model.name} has no convolution with a map of several places: Grad-CAM has nothing to look at; "
            "occlusion and the gradient of the input work without"
        )
    if layer is not None:
        for maps, _, _ in reversed(found):
            if maps.layer == layer:
                return maps
        names = list(dict.fromkeys(maps.layer for maps, _, _ in reversed(found)))
        shown = ", ".join(get_close_matches(layer, names, NAMED, 0.5) or names[:NAMED])
        raise ArgumentError(f"model {model.name} has no layer {layer!r} with feature maps; some that have: {shown}")
    sides = next(sides for _, sides, convolution in reversed(found) if convolution)
    return next(maps for maps, own, _ in reversed(found) if own == sides)


def _all_maps(program: Program, shape: tuple[int, ...]) -> list[tuple[Maps, tuple[int, ...], bool]]:
    """(maps, their sides, whether a convolution made them) of every call, in the order of the program."""
    slots = [slot for call in program.calls for slot in call.outputs]
    shapes = dict(zip(slots, Program(program.calls, program.inputs, slots).output_shapes([shape])))
    found, channels = [], -1
    for call in program.calls:
        layer, convolution = call.layer, False
        if isinstance(layer, WindowLayer):
            channels, convolution = 1 if layer.data_format == "channels_first" else -1, True
        for slot in call.outputs:
            sides = [side or 0 for side in shapes[slot][1:]]  # 0: not known
            if len(sides) < 2:
                continue
            del sides[channels if channels < 0 else channels - 1]
            if prod(sides) > 1:
                found.append((Maps(slot, layer.name, channels), tuple(sides), convolution))
    return found
