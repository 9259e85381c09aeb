"""Changes of where things are: flips, crops, rotations, zooms, shifts.

Those that read between pixels are affine maps (preparation/warp.py).  Where several follow each other, a pipeline reads
the picture once, by their product: each reading between pixels blurs.
"""

import math
from typing import Any

import numpy as np

from minicnn.arguments import interval, number, one_of, whole_number
from minicnn.errors import ShapeError
from minicnn.preparation.warp import FILLS, rotation, scaling, shift, warp

from .step import Step


class Flip(Step):
    """Left-right with one probability, upside-down with another.

    >>> row = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    >>> Flip(horizontal=1)(row, np.random.default_rng(0))[0, :, 0].tolist()
    [6, 3, 0]
    """

    def __init__(self, horizontal: float = 0.5, vertical: float = 0):
        self.horizontal = number("Flip", "horizontal", horizontal, "[0, 1]")
        self.vertical = number("Flip", "vertical", vertical, "[0, 1]")

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        across, down = generator.random(2)
        image = image[:, ::-1] if across < self.horizontal else image
        return image[::-1] if down < self.vertical else image


class RandomCrop(Step):
    """A part of `size` pixels, one number or (height, width), from anywhere in the picture: the result is smaller.

    Raises
    ------
    ShapeError
        On a smaller picture.
    """

    def __init__(self, size: Any):
        sides = size if isinstance(size, tuple | list) and len(size) == 2 else (size, size)
        self.size = tuple(whole_number("RandomCrop", "size", side, 1) for side in sides)

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        rests = [old - new for old, new in zip(image.shape, self.size)]
        if min(rests) < 0:
            raise ShapeError(f"RandomCrop takes {self.size} pixels; the picture has {image.shape[:2]}")
        top, left = (int(generator.integers(rest + 1)) for rest in rests)
        return image[top : top + self.size[0], left : left + self.size[1]]


class PadCrop(Step):
    """The picture with `padding` more pixels on each side, and of that a part of its own size from anywhere.

    `fill` is what lies beyond the border, as `preparation.warp.warp` has it: "constant" is black.

    Source: K. He et al., "Deep residual learning for image recognition", 2015, section 4.2 (4 pixels, on CIFAR-10).
    """

    def __init__(self, padding: int = 4, fill: str = "constant"):
        self.padding = whole_number("PadCrop", "padding", padding, 0)
        self.fill = one_of("PadCrop", "fill", fill, FILLS)

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        down, right = generator.integers(-self.padding, self.padding, 2, endpoint=True)
        return warp(image, shift(down, right), self.fill, interpolation="nearest")


class Affine(Step):
    """Base of the steps that read between pixels: `matrix` draws the map, `fill` and `value` say what lies beyond.

    `fill` is "reflect", "constant" (which is `value`), "nearest" or "wrap", as `preparation.warp.warp` has it.
    """

    fill: str
    value: float

    def _beyond(self, fill: str, value: float) -> None:
        name = type(self).__name__
        self.fill, self.value = one_of(name, "fill", fill, FILLS), number(name, "value", value, "[0, 255]")

    def matrix(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """(3,3), from places in the result to places in the picture, in pixels from the middle."""
        raise NotImplementedError

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return moved(image, self.matrix(image.shape, generator), self)


def moved(image: np.ndarray, matrix: np.ndarray, step: Affine) -> np.ndarray:
    """The picture under a map, with what lies beyond its border as a step has it."""
    return image if np.array_equal(matrix, np.eye(3)) else warp(image, matrix, step.fill, step.value)


class Rotate(Affine):
    """About the middle, by degrees drawn from -angle to angle, or from the two given: counter-clockwise above 0.

    >>> Rotate(15)
    Rotate(angle=(-15.0, 15.0), fill='reflect', value=0.0)
    """

    def __init__(self, angle: Any, fill: str = "reflect", value: float = 0):
        self.angle = interval("Rotate", "angle", angle, -360, 360)
        self._beyond(fill, value)

    def matrix(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        return rotation(math.radians(generator.uniform(*self.angle)))


class Zoom(Affine):
    """About the middle, by a factor drawn between 1 - part and 1 + part, or between the two given; above 1 enlarges."""

    def __init__(self, part: Any, fill: str = "reflect", value: float = 0):
        both = isinstance(part, tuple | list)
        span = number("Zoom", "part", 0 if both else part, "[0, 1)")
        self.part = interval("Zoom", "part", part if both else (1 - span, 1 + span), 0.01, 100)
        self._beyond(fill, value)

    def matrix(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        factor = generator.uniform(*self.part)
        return scaling(factor, factor)


class Shift(Affine):
    """Down and to the right, each by a part of the side drawn from -part to part, or from the two given."""

    def __init__(self, part: Any, fill: str = "reflect", value: float = 0):
        self.part = interval("Shift", "part", part, -1, 1)
        self._beyond(fill, value)

    def matrix(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        down, right = generator.uniform(*self.part, 2)
        return shift(down * shape[0], right * shape[1])


class ResizedCrop(Affine):
    """A random part of the picture, enlarged to the picture's own size.

    Parameters
    ----------
    area
        Of the part, as a share of the picture's: (least, most), at most 1.
    proportions
        Width to height of the part, relative to the picture's: (least, most), their logarithm being uniform.

    Source
    ------
    C. Szegedy et al., "Going deeper with convolutions", 2014, section 6 (area 0.08 to 1, proportions 3/4 to 4/3).
    """

    def __init__(self, area: tuple[float, float] = (0.5, 1), proportions: tuple[float, float] = (3 / 4, 4 / 3)):
        self.area = interval("ResizedCrop", "area", area, 0.01, 1)
        self.proportions = interval("ResizedCrop", "proportions", proportions, 0.1, 10)
        self._beyond("nearest", 0)

    def matrix(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        area = generator.uniform(*self.area)
        root = math.exp(generator.uniform(*np.log(self.proportions)) / 2)
        height, width = min(1, math.sqrt(area) / root), min(1, math.sqrt(area) * root)
        down, right = ((1 - part) * side * (generator.random() - 0.5) for part, side in zip((height, width), shape))
        return shift(down, right) @ scaling(1 / height, 1 / width)
