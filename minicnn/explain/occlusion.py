"""Occlusion: cover one place of a picture after the other, and see where the class gets less likely."""

from typing import Any

import numpy as np

from minicnn.arguments import whole_number
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.explain.scores import Classes, checked
from minicnn.preparation import has_channels_first

BATCH = 32


def occlusion(
    model: Any, x: np.ndarray, classes: Classes = None, window: int | None = None, stride: int | None = None
) -> np.ndarray:
    """
    L[n,i,j] = p(class | x[n]) - p(class | x[n] with the window at i, j covered by the picture's mean colour).

    It needs no convolution, and one prediction a place: it checks what Grad-CAM says.

    Parameters
    ----------
    model : Model
        A classifier with one input of pictures and one output (N,C).
    x : float array (N,H,W,C), or (N,C,H,W) for a model that takes channels first
    classes : int or ints (N,), optional
        The class to explain, for all or for each picture; the likeliest of each when None.
    window, stride : int, optional
        Pixels that are covered along a side, and between two places; a quarter of the shorter side, half the window.

    Returns
    -------
    float32 array (N,h,w)
        Positive where what is covered spoke for the class, negative where it spoke against it.

    Raises
    ------
    ArgumentError, ShapeError, UnsupportedError

    Source
    ------
    Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.2.

    Examples
    --------
    >>> from minicnn.layers import Dense, Flatten, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((8, 8, 1)), Flatten(), Dense(2, activation="softmax")])
    >>> occlusion(model, np.zeros((1, 8, 8, 1)), window=4, stride=2).shape
    (1, 3, 3)
    """
    x, labels = checked(model, x, classes)
    if x.ndim != 4:
        raise UnsupportedError(f"model {model.name} takes inputs of shape {x.shape[1:]}; occlusion is for pictures")
    sides = x.shape[2:] if has_channels_first(model.inputs[0].shape) else x.shape[1:3]
    wide, (rows, columns) = _windows(sides, window, stride)
    places = [(i, j) for i in rows for j in columns]
    drops = [_drops(model, picture, int(label), places, wide) for picture, label in zip(x, labels)]
    return np.array(drops, np.float32).reshape(len(x), len(rows), len(columns))


def _windows(sides: tuple[int, ...], window: int | None, stride: int | None) -> tuple[int, list[range]]:
    """(side of a window, where windows begin: rows and columns)."""
    wide = max(min(sides) // 4, 1) if window is None else whole_number("occlusion", "window", window, 1)
    step = max(wide // 2, 1) if stride is None else whole_number("occlusion", "stride", stride, 1)
    if wide > min(sides):
        raise ArgumentError(f"occlusion: window is {wide}, the pictures have {sides[0]} × {sides[1]} pixels")
    return wide, [range(0, side - wide + 1, step) for side in sides]


def _drops(model: Any, picture: np.ndarray, label: int, places: list[tuple[int, int]], window: int) -> np.ndarray:
    """How much less likely a class of one picture gets with each place covered."""
    axes = (1, 2) if has_channels_first(model.inputs[0].shape) else (0, 1)
    colour = np.squeeze(picture.mean(axis=axes, keepdims=True), axes)
    colour = colour[:, None, None] if axes == (1, 2) else colour
    before = _probability(model, picture[None], label)
    after = []
    for start in range(0, len(places), BATCH):
        part = places[start : start + BATCH]
        covered = np.repeat(picture[None], len(part), axis=0)
        for image, (i, j) in zip(covered, part):
            place = (slice(i, i + window), slice(j, j + window))
            image[(slice(None), *place) if axes == (1, 2) else place] = colour
        after.append(_probability(model, covered, label))
    return before - np.concatenate(after)


def _probability(model: Any, x: np.ndarray, label: int) -> np.ndarray:
    """What the model gives for a class, (N,); one output is the probability of the second of two classes."""
    y = model.predict(x, batch_size=BATCH)
    if y.shape[1] > 1:
        return y[:, label]
    return y[:, 0] if label else 1 - y[:, 0]
