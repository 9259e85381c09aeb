"""A rectangle of the picture taken away."""

import math

import numpy as np

from minicnn.arguments import interval, number

from .step import Step


class Erase(Step):
    """With a probability, a rectangle of random place, size and proportions becomes noise, or one value.

    Parameters
    ----------
    probability
        Of a picture to lose a rectangle.
    area
        Of the rectangle, as a share of the picture's: (least, most).
    proportions
        Height to width, relative to the picture's: (least, most), their logarithm being uniform.
    value
        0..255; uniform noise when None.

    Source
    ------
    Z. Zhong et al., "Random erasing data augmentation", 2017, section 3.2.
    """

    def __init__(
        self,
        probability: float = 0.5,
        area: tuple[float, float] = (0.02, 0.33),
        proportions: tuple[float, float] = (0.3, 3.3),
        value: int | None = None,
    ):
        self.probability = number("Erase", "probability", probability, "[0, 1]")
        self.area = interval("Erase", "area", area, 0, 1)
        self.proportions = interval("Erase", "proportions", proportions, 0.01, 100)
        self.value = None if value is None else int(number("Erase", "value", value, "[0, 255]"))

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        if generator.random() >= self.probability:
            return image
        area = generator.uniform(*self.area)
        root = math.exp(generator.uniform(*np.log(self.proportions)) / 2)
        shares = math.sqrt(area) * root, math.sqrt(area) / root
        rows, columns = (place(side, share, generator) for side, share in zip(image.shape, shares))
        image = image.copy()
        hole = image[rows, columns]
        hole[:] = generator.integers(256, size=hole.shape, dtype=np.uint8) if self.value is None else self.value
        return image


def place(side: int, share: float, generator: np.random.Generator) -> slice:
    """A share of a side, to whole pixels and at most all of it, from anywhere."""
    length = min(side, round(side * share))
    start = int(generator.integers(side - length + 1))
    return slice(start, start + length)
