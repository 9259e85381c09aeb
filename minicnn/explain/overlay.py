"""Overlay: a map laid over its picture in colours."""

import numpy as np

from minicnn.arguments import number
from minicnn.errors import DTypeError, ShapeError
from minicnn.preparation.pillow import pillow_image

COLOURS = np.array(
    [(28, 32, 96), (38, 98, 168), (44, 160, 160), (140, 200, 90), (250, 210, 60), (240, 110, 40), (190, 20, 30)]
)  # from 0 to the largest value


def overlay(picture: np.ndarray, heat: np.ndarray, strength: float = 0.5) -> np.ndarray:
    """
    (1 - strength) picture + strength colour(heat / max heat), the heat enlarged bilinearly to the picture's size.

    Parameters
    ----------
    picture : uint8 (H,W,3)
    heat : float (h,w)
        Values below 0 are shown as 0.
    strength : float
        From 0, the picture alone, to 1.

    Returns
    -------
    uint8 (H,W,3)
        Blue where there is nothing, over green and yellow to red at the largest value.

    Raises
    ------
    ShapeError, DTypeError, ArgumentError

    Examples
    --------
    >>> overlay(np.zeros((4, 4, 3), np.uint8), np.ones((2, 2)), 1.0)[0, 0]
    array([190,  20,  30], dtype=uint8)
    """
    strength = number("overlay", "strength", strength, "[0, 1]")
    if picture.dtype != np.uint8:
        raise DTypeError(f"overlay: a picture is uint8; got {picture.dtype}")
    if picture.ndim != 3 or picture.shape[2] != 3 or np.ndim(heat) != 2:
        raise ShapeError(f"overlay: a picture (H,W,3) and a map (h,w) are needed; got {picture.shape}, {heat.shape}")
    colour = coloured(enlarged(heat, picture.shape[:2]))
    return np.rint((1 - strength) * picture + strength * colour).astype(np.uint8)


def enlarged(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The map (H,W) from 0 to 1, divided by its largest value; all 0 where it has none above 0."""
    heat = np.maximum(np.asarray(heat, np.float32), 0)
    share = heat / max(float(heat.max()), np.finfo(np.float32).tiny)
    image = pillow_image("drawing a map").fromarray(share)
    return np.clip(np.array(image.resize(size[::-1], pillow_image().Resampling.BILINEAR)), 0, 1)


def coloured(share: np.ndarray) -> np.ndarray:
    """float (H,W,3): the colours of values from 0 to 1, in between those of COLOURS."""
    stops = np.linspace(0, 1, len(COLOURS))
    return np.stack([np.interp(share, stops, channel) for channel in COLOURS.T], axis=-1)
