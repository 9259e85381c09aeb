"""Names of the 1,000 ImageNet classes."""

import json
from functools import cache
from typing import Any

import numpy as np

from minicnn.errors import FileFormatError, ShapeError
from minicnn.weights.fetch import locate
from minicnn.weights.registry import class_index

IMAGENET_CLASSES = 1000


def decode_predictions(predictions: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """For each row of probabilities (N,1000), the `top` classes as (WordNet id, name, probability), best first.

    The names come from the published class index: the cache, Keras' cache, or the network.

    Raises
    ------
    ShapeError
        Predictions that are not (N,1000).
    DownloadError
        The class index is not on this machine and cannot be fetched.
    """
    p = np.asarray(predictions)
    if p.ndim != 2 or p.shape[1] != IMAGENET_CLASSES:
        raise ShapeError(f"decode_predictions needs probabilities (N,{IMAGENET_CLASSES}); got shape {p.shape}")
    names = imagenet_classes()
    return [[(*names[i], float(row[i])) for i in np.argsort(-row, kind="stable")[:top]] for row in p]


@cache
def imagenet_classes() -> list[tuple[str, str]]:
    """(WordNet id, name) of the classes 0..999."""
    path = locate(class_index())
    try:
        table = json.loads(path.read_text("utf-8"))
        return [(str(table[str(i)][0]), str(table[str(i)][1])) for i in range(IMAGENET_CLASSES)]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise FileFormatError(
            f"{path} is not the ImageNet class index ({error}); delete it to fetch it again"
        ) from error
