"""Changes of brightness and colour, as Keras' layers make them (preparation/colour.py)."""

from typing import Any

import numpy as np

from minicnn.arguments import interval
from minicnn.preparation.colour import brightened, contrasted, saturated, turned_hue

from .step import Step


class _Colour(Step):
    """Base: one number, drawn from an interval, decides what becomes of the pixels."""

    def __init__(self, part: Any):
        self.part = interval(type(self).__name__, "part", part, -1, 1)

    def change(self, x: np.ndarray, part: float) -> np.ndarray:
        """float32 (H,W,3) in 0..255 of such values."""
        raise NotImplementedError

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        part = generator.uniform(*self.part)
        if not part:
            return image
        return np.rint(self.change(image.astype(np.float32), part)).astype(np.uint8)


class Brightness(_Colour):
    """y = x + 255 b, b drawn from -part to part, or from the two given.

    >>> grey = np.full((1, 1, 3), 100, np.uint8)
    >>> Brightness((0.2, 0.2))(grey, np.random.default_rng(0)).ravel().tolist()
    [151, 151, 151]
    """

    def change(self, x: np.ndarray, part: float) -> np.ndarray:
        return brightened(x, part)


class Contrast(_Colour):
    """y = m + (1 + c)(x - m), m the mean of a channel, c drawn from -part to part, or from the two given."""

    def change(self, x: np.ndarray, part: float) -> np.ndarray:
        return contrasted(x, 1 + part)


class Saturation(_Colour):
    """The saturation times 1 + s, s drawn from -part to part, or from the two given; -1 leaves greys."""

    def change(self, x: np.ndarray, part: float) -> np.ndarray:
        return saturated(x, 1 + part)


class Hue(_Colour):
    """The hue turned by h of the whole circle, h drawn from -part to part, or from the two given."""

    def change(self, x: np.ndarray, part: float) -> np.ndarray:
        return turned_hue(x, part)
