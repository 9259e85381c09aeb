"""The wrong answers that a model was surest of, with small pictures of them."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minicnn.data import read_image
from minicnn.preparation.pillow import pillow_image
from minicnn.transfer.result import Mistake

MOST = 12
SIDE = 192


def surest_mistakes(
    files: Sequence[Path],
    names: Sequence[str],
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
) -> list[Mistake]:
    """
    At most MOST pictures whose class got less probability than another, the surest first.

    Parameters
    ----------
    files, names : sequences of N
        Where each picture is, and what it is called in the report.
    labels : int (N,)
    probabilities : float (N,C)
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    surest = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:MOST]
    return [
        Mistake(
            names[i],
            class_names[int(labels[i])],
            class_names[int(predicted[i])],
            float(probabilities[i, predicted[i]]),
            thumbnail(files[i]),
        )
        for i in map(int, surest)
    ]


def thumbnail(file: Path) -> bytes:
    """The middle of a picture as the bytes of a small JPEG."""
    stream = io.BytesIO()
    pillow_image().fromarray(read_image(file, size=SIDE).pixels).save(stream, "JPEG", quality=82)
    return stream.getvalue()
