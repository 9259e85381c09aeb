"""Keras' random augmentation layers that augment while training, and do nothing at inference.

Each picture is changed by a draw of its own.  Where things are is changed by preparation/warp.py, colours by
preparation/colour.py, as in the pipelines of minicnn.data.augment, which change pictures before they reach the model.

That is done on the host, also for pictures that are on a GPU: these come to the host and go back, so that one seed
gives the same pictures on every device.  Batches that training takes from the host are changed before they go to a GPU.
"""

from typing import Any, ClassVar

import numpy as np

from minicnn import kernels
from minicnn.arguments import interval, one_of
from minicnn.autograd import Tensor
from minicnn.errors import ShapeError, UnsupportedError
from minicnn.preparation.colour import brightened, contrasted, saturated, turned_hue
from minicnn.preparation.warp import FILLS, rotation, scaling, shift, warp
from minicnn.seeds import new_seed

from .augmentation import Augmentation

Ends = tuple[float, float]

GREY = np.array([0.2989, 0.587, 0.114])  # of Keras' rgb_to_grayscale
FLIPS = {"horizontal": np.s_[:, ::-1], "vertical": np.s_[::-1], "horizontal_and_vertical": np.s_[::-1, ::-1]}


class _Random(Augmentation):
    """Base: changes a picture at a time, by a generator of the layer's own, which `seed` fixes.

    There is no gradient: such a layer stands before all that is trained.
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {}

    def __init__(self, *values: Any, **options: Any):
        super().__init__(*values, **options)
        seed = self.option("seed")
        self.generator = np.random.default_rng(new_seed() if seed is None else seed)

    def option(self, name: str) -> Any:
        """An argument's value, or its default."""
        return self.arguments.get(name, self.DEFAULTS.get(name))

    def ends(self, name: str, low: float, high: float = 1e6) -> Ends:
        """Between what a factor is drawn: of one number v, -v and v, cut at low."""
        return interval(f"layer {self.name}", name, self.option(name), low, high)

    def drawn(self, name: str, low: float, high: float = 1e6) -> float:
        return self.generator.uniform(*self.ends(name, low, high))

    def change(self, image: np.ndarray) -> np.ndarray:
        """A picture (H,W,C) changed at random, or as it is."""
        raise NotImplementedError

    def call(self, x: Tensor, training: bool) -> Tensor:
        if not training:
            return x
        if x.ndim != 4:
            raise ShapeError(f"layer {self.name} ({type(self).__name__}) augments images (N,H,W,C); got {x.shape}")
        if x.requires_grad:
            raise UnsupportedError(
                f"layer {self.name} ({type(self).__name__}) has no gradient: put it before the layers that are trained"
            )
        first = self.option("data_format") == "channels_first"
        images = np.moveaxis(x.numpy(), 1, -1) if first else x.numpy()
        changed = np.array([self.change(image) for image in images], images.dtype).reshape(images.shape)
        changed = np.ascontiguousarray(np.moveaxis(changed, -1, 1)) if first else changed
        return Tensor(kernels.to_device(changed, kernels.device_of(x.array)))


class RandomFlip(_Random):
    """Left-right, upside-down or, as a turn by 180 degrees, both at once: each picture with probability 1/2.

    >>> from minicnn.layers import RandomFlip
    >>> x = np.arange(3, dtype=np.float32).reshape(1, 1, 3, 1)
    >>> sorted({RandomFlip("horizontal", seed=i)(x, training=True).numpy()[0, 0, 0, 0].item() for i in range(9)})
    [0.0, 2.0]
    """

    ARGUMENTS = ("mode", "seed", "data_format")
    DEFAULTS: ClassVar[dict[str, Any]] = {"mode": "horizontal_and_vertical"}

    def change(self, image: np.ndarray) -> np.ndarray:
        mode = one_of(f"layer {self.name}", "mode", self.option("mode"), FLIPS)
        return image[FLIPS[mode]] if self.generator.random() <= 0.5 else image


class _Moved(_Random):
    """Base of the affine maps: `matrix` draws one."""

    DEFAULTS: ClassVar[dict[str, Any]] = {"fill_mode": "reflect", "interpolation": "bilinear", "fill_value": 0.0}

    def matrix(self, shape: tuple[int, ...]) -> np.ndarray:
        """(3,3), from places in the result to places in the picture, in pixels from the middle."""
        raise NotImplementedError

    def change(self, image: np.ndarray) -> np.ndarray:
        owner = f"layer {self.name}"
        fill = one_of(owner, "fill_mode", self.option("fill_mode"), FILLS)
        interpolation = one_of(owner, "interpolation", self.option("interpolation"), ("bilinear", "nearest"))
        return warp(image, self.matrix(image.shape), fill, self.option("fill_value"), interpolation)


class RandomRotation(_Moved):
    """By an angle, as a part of a full turn, counter-clockwise above 0."""

    ARGUMENTS = ("factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")

    def matrix(self, shape: tuple[int, ...]) -> np.ndarray:
        return rotation(2 * np.pi * self.drawn("factor", -1e6))


class RandomTranslation(_Moved):
    """By a part of height and width, down and to the right above 0."""

    ARGUMENTS = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")

    def matrix(self, shape: tuple[int, ...]) -> np.ndarray:
        down, right = self.drawn("height_factor", -1, 1), self.drawn("width_factor", -1, 1)
        return shift(down * shape[0], right * shape[1])


class RandomZoom(_Moved):
    """By a factor for height and one for width, or one for both: things become 1 / (1 + factor) times as large."""

    ARGUMENTS = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")

    def matrix(self, shape: tuple[int, ...]) -> np.ndarray:
        height = 1 + self.drawn("height_factor", -0.99)
        width = height if self.option("width_factor") is None else 1 + self.drawn("width_factor", -0.99)
        return scaling(1 / height, 1 / width)


class _Coloured(_Random):
    """Base of changes of colour: the factor lies between `least` and `most`."""

    DEFAULTS: ClassVar[dict[str, Any]] = {"value_range": (0, 255)}
    least: ClassVar[float] = -1
    most: ClassVar[float] = 1

    @staticmethod
    def recolour(x: np.ndarray, ends: Ends, limit: float, generator: np.random.Generator) -> np.ndarray:
        """x (H,W,C) of values 0..limit, changed by a draw between the ends of the factor."""
        raise NotImplementedError

    def changed(self, x: np.ndarray, limit: float) -> np.ndarray:
        return self.recolour(x, self.ends("factor", self.least, self.most), limit, self.generator)

    def change(self, image: np.ndarray) -> np.ndarray:
        low, high = self.ends("value_range", -1e6)
        return self.changed(image - image.dtype.type(low), high - low) + image.dtype.type(low)


class RandomBrightness(_Coloured):
    """y = x + b times the width of `value_range`, b drawn from the factor."""

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")

    @staticmethod
    def recolour(x: np.ndarray, ends: Ends, limit: float, generator: np.random.Generator) -> np.ndarray:
        return brightened(x, generator.uniform(*ends), limit)


class RandomContrast(_Coloured):
    """y = m + c (x - m), m the mean of a channel, c drawn between 1 - lower and 1 + upper.

    One number for the factor is the upper one, lower then being 0, as Keras 3.15 has it.
    """

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")
    least = 0

    @staticmethod
    def recolour(x: np.ndarray, ends: Ends, limit: float, generator: np.random.Generator) -> np.ndarray:
        return contrasted(x, generator.uniform(1 - ends[0], 1 + ends[1]), limit)


class RandomSaturation(_Coloured):
    """The saturation times f / (1 - f), and at most 1, f drawn from the factor: 1/2 changes nothing, 0 leaves greys."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")

    @staticmethod
    def recolour(x: np.ndarray, ends: Ends, limit: float, generator: np.random.Generator) -> np.ndarray:
        factor = generator.uniform(*ends)
        return saturated(x, max(0.0, factor / (1 - factor + 1e-7)))


class RandomHue(_Coloured):
    """The hue turned one way or the other by half of what is drawn from the factor, in whole turns."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")
    least = 0

    @staticmethod
    def recolour(x: np.ndarray, ends: Ends, limit: float, generator: np.random.Generator) -> np.ndarray:
        way = 0.5 if generator.random() < 0.5 else -0.5
        return turned_hue(x, way * generator.uniform(*ends))


JITTER = {
    "brightness_factor": RandomBrightness,
    "contrast_factor": RandomContrast,
    "saturation_factor": RandomSaturation,
    "hue_factor": RandomHue,
}


class RandomColorJitter(_Coloured):
    """RandomBrightness, RandomContrast, RandomSaturation and RandomHue in turn, those whose factor is given."""

    ARGUMENTS = ("value_range", *JITTER, "seed", "data_format")

    def changed(self, x: np.ndarray, limit: float) -> np.ndarray:
        for name, kind in JITTER.items():
            if self.option(name) is not None:
                x = kind.recolour(x, self.ends(name, kind.least, kind.most), limit, self.generator)
        return x


class RandomGrayscale(_Random):
    """To grey, three equal channels, with probability `factor`."""

    ARGUMENTS = ("factor", "data_format", "seed")
    DEFAULTS: ClassVar[dict[str, Any]] = {"factor": 0.5}

    def change(self, image: np.ndarray) -> np.ndarray:
        if self.generator.random() >= self.ends("factor", 0, 1)[1]:
            return image
        if image.shape[-1] != 3:
            raise ShapeError(f"layer {self.name} (RandomGrayscale) takes three channels; got {image.shape[-1]}")
        return np.repeat(image @ GREY.astype(image.dtype)[:, None], 3, axis=-1)


class RandomInvert(_Random):
    """To the negative, y = high - x, with a probability drawn from the factor."""

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")
    DEFAULTS: ClassVar[dict[str, Any]] = {"factor": 1.0, "value_range": (0, 255)}

    def change(self, image: np.ndarray) -> np.ndarray:
        chosen = self.generator.random() < self.drawn("factor", 0, 1)
        return image.dtype.type(self.ends("value_range", -1e6)[1]) - image if chosen else image


class RandomErasing(_Random):
    """With a probability drawn from `factor`, a rectangle becomes `fill_value`, or noise when that is None.

    Its sides are square roots of two draws from `scale`, as shares of the picture's sides.
    """

    ARGUMENTS = ("factor", "scale", "fill_value", "value_range", "seed", "data_format")
    DEFAULTS: ClassVar[dict[str, Any]] = {"factor": 1.0, "scale": (0.02, 0.33), "value_range": (0, 255)}

    def change(self, image: np.ndarray) -> np.ndarray:
        if self.generator.random() >= self.drawn("factor", 0, 1):
            return image
        low, high = self.ends("value_range", -1e6)
        rows, columns = (self._place(side) for side in image.shape[:2])
        fill, image = self.option("fill_value"), image.copy()
        hole = image[rows, columns]
        hole[:] = np.clip(self.generator.standard_normal(hole.shape) * high if fill is None else fill, low, high)
        return image

    def _place(self, side: int) -> slice:
        """The pixels of a side that lie in the rectangle."""
        length = np.sqrt(self.drawn("scale", 0, 1)) * side
        start = self.generator.random() * (side - length)
        return slice(int(np.ceil(start)), int(np.ceil(start + length)))
