"""The wrong answers of a model that cost most, with small pictures of them."""

import contextlib
import io
from pathlib import Path

import numpy as np

from minicnn.data import ImageError, read_image
from minicnn.errors import DataError
from minicnn.preparation.pillow import pillow_image
from minicnn.transfer.result import Mistake
from minicnn.transfer.samples import Samples

MOST = 12
SIDE = 192


def worst_mistakes(samples: Samples, rows: np.ndarray, probabilities: np.ndarray) -> list[Mistake]:
    """
    At most MOST of some samples whose class got less probability than another, those of the highest loss first.

    The loss of a sample is -log p[n, label[n]].  One whose file is gone by now has no picture.

    Parameters
    ----------
    rows : int (M,)
    probabilities : float (M,C)
        Of these.
    """
    predicted, labels, names = probabilities.argmax(axis=1), samples.labels[rows], samples.class_names
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(probabilities[wrong, labels[wrong]], kind="stable")][:MOST]
    return [
        Mistake(
            samples.name(int(rows[i])),
            names[int(labels[i])],
            names[int(predicted[i])],
            float(probabilities[i, predicted[i]]),
            *_pictures(samples, int(rows[i])),
        )
        for i in worst
    ]


def _pictures(samples: Samples, row: int) -> tuple[bytes, np.ndarray | None]:
    """(a small JPEG, what the network took) of a sample; nothing where it cannot be read again."""
    try:
        pixels = samples.images[row]
    except DataError:
        return b"", None
    if samples.pictures is not None:
        with contextlib.suppress(ImageError):  # a file that is gone by now: as it was read before training
            return thumbnail(samples.pictures.folder.files[row]), pixels
    return small_jpeg(drawable(pixels)), pixels


def thumbnail(file: Path) -> bytes:
    """The middle of a picture as the bytes of a small JPEG."""
    return small_jpeg(read_image(file, size=SIDE).pixels)


def small_jpeg(pixels: np.ndarray) -> bytes:
    """The bytes of a JPEG of pixels uint8 (H,W,3), of SIDE pixels at most."""
    stream = io.BytesIO()
    picture = pillow_image().fromarray(pixels)
    picture.thumbnail((SIDE, SIDE))
    picture.save(stream, "JPEG", quality=82)
    return stream.getvalue()


def drawable(pixels: np.ndarray) -> np.ndarray:
    """What a network takes as uint8 (H,W,3): other numbers are stretched from 0 to 255, other channels averaged."""
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        pixels = ((pixels - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8)
    if pixels.shape[-1] not in (1, 3) and pixels.shape[0] in (1, 3):  # channels first
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
    return pixels if pixels.shape[-1] == 3 else np.repeat(pixels.mean(axis=-1, keepdims=True), 3, -1).astype(np.uint8)
