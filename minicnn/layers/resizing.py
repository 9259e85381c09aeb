"""Layers that bring images of any size to one."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from minicnn import ops
from minicnn.arguments import number, one_of, switch, whole_number
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels import Pair
from minicnn.ops.resize import METHODS

from .borders import Cropping2D
from .data_format import Spatial, check_data_format
from .symbolic import Shape
from .window import LONGEST


class _Sized(Spatial):
    """Base of the layers whose output is height x width."""

    input_rank = 4

    def _set_size(self, height: Any, width: Any, data_format: Any) -> None:
        owner = f"layer {self.name}"
        self.height, self.width = whole_number(owner, "height", height, 1), whole_number(owner, "width", width, 1)
        if max(self.height, self.width) > LONGEST:
            raise ArgumentError(f"{owner}: height and width must be at most {LONGEST}; they are {height} and {width}")
        self.data_format = check_data_format(data_format, self.name)

    def shape_after(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.height, self.width, input_shape[3])


class Resizing(_Sized):
    """y (N,height,width,C): x (N,H,W,C) resized by interpolation, "nearest", "bilinear", "bicubic", "lanczos3" or
    "lanczos5", as TensorFlow does it.

    `antialias` widens the filter where images shrink.  `crop_to_aspect_ratio` cuts the middle of the wanted proportions
    out first, `pad_to_aspect_ratio` puts `fill_value` at two sides first; else the proportions change.

    >>> from minicnn.layers import Input, Resizing
    >>> Resizing(4, 6)(Input((None, None, 3))).shape
    (None, 4, 6, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = "channels_last",
        **options: Any,
    ):
        super().__init__(**options)
        self._set_size(height, width, data_format)
        owner = f"layer {self.name}"
        self.interpolation = one_of(owner, "interpolation", str(interpolation).lower(), METHODS)
        self.crop_to_aspect_ratio = switch(owner, "crop_to_aspect_ratio", crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = switch(owner, "pad_to_aspect_ratio", pad_to_aspect_ratio)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError(f"{owner}: crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other")
        self.fill_mode = one_of(owner, "fill_mode", fill_mode, ["constant"])
        self.fill_value = number(owner, "fill_value", fill_value, "(-inf, inf)")
        self.antialias = switch(owner, "antialias", antialias)

    def call(self, x: Tensor, training: bool) -> Tensor:
        size = (self.height, self.width)
        if self.crop_to_aspect_ratio:
            x = cut_to_proportions(x, size)
        elif self.pad_to_aspect_ratio:
            x = self._padded(x)
        return ops.resize(x, size, self.interpolation, self.antialias)

    def _padded(self, x: Tensor) -> Tensor:
        """x with as much at each of two sides as gives it the proportions, a pixel less where that is odd."""
        height, width = x.shape[1:3]
        wanted = max(height, width * self.height // self.width), max(width, height * self.width // self.height)
        rows, columns = ((new - old) // 2 for new, old in zip(wanted, (height, width)))
        sides = ((rows, rows), (columns, columns))
        return ops.constant_padding2d(x, sides, self.fill_value) if rows or columns else x


class CenterCrop(_Sized):
    """y (N,height,width,C): the middle of x (N,H,W,C); where x is too small, the middle of these proportions, enlarged.

    >>> from minicnn.layers import CenterCrop, Input
    >>> CenterCrop(4, 6)(Input((9, 9, 3))).shape
    (None, 4, 6, 3)
    """

    def __init__(self, height: int, width: int, data_format: str | None = "channels_last", **options: Any):
        super().__init__(**options)
        self._set_size(height, width, data_format)

    def call(self, x: Tensor, training: bool) -> Tensor:
        size = (self.height, self.width)
        if x.shape[1] < self.height or x.shape[2] < self.width:
            return ops.resize(cut_to_proportions(x, size), size)
        return middle(x, size)


class RandomCrop(_Sized):
    """A random part of the image while training, which is refused here; in inference what `in_inference` says.

    "keep" leaves images of any size as they are.  So Keras computes since 3.8, which yet says that height x width comes
    out; that is taken for the shape where the sides of the images are free.  Layers of older files go on as they were:
    "middle", before 3.6, is the largest middle part of these proportions, resized; "corner", 3.6 and 3.7, begins
    where that part does, takes height x width from there, and resizes it where less is left.

    >>> from minicnn.layers import Input, RandomCrop
    >>> RandomCrop(4, 6)(Input((9, 9, 3))).shape
    (None, 9, 9, 3)
    """

    deterministic = False
    in_inference: Literal["keep", "middle", "corner"] = "keep"

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = "channels_last",
        **options: Any,
    ):
        super().__init__(**options)
        self._set_size(height, width, data_format)
        self.seed = None if seed is None else whole_number(f"layer {self.name}", "seed", seed, 0)

    def call(self, x: Tensor, training: bool) -> Tensor:
        if training:
            raise UnsupportedError(
                f"layer {self.name} (RandomCrop) does not augment while training; augment the images before the model, "
                "or take the layer out"
            )
        size = (self.height, self.width)
        if self.in_inference == "keep" or x.shape[1:3] == size:
            return x
        sides = self.cropping(x.shape[1:3])
        x = ops.cropping2d(x, sides) if np.any(sides) else x
        return x if x.shape[1:3] == size else ops.resize(x, size)

    def cropping(self, sides: Sequence[int]) -> tuple[Pair, Pair]:
        """The rows above and below, and the columns left and right, that are cut off before the rest is resized."""
        size = (self.height, self.width)
        kept = in_proportions(sides, size)
        starts = [(side - part) // 2 for side, part in zip(sides, kept)]
        if self.in_inference == "corner":
            kept = [min(side - start, wanted) for side, start, wanted in zip(sides, starts, size)]
        rows, columns = ((start, side - start - part) for start, side, part in zip(starts, sides, kept))
        return rows, columns

    def shape_after(self, input_shape: Shape) -> Shape:
        if self.in_inference != "keep" or None in input_shape[1:3]:
            return super().shape_after(input_shape)
        return input_shape

    def to_entry(self) -> dict[str, Any]:
        """A layer of an older file as the one of Keras 3.15 that gives the same in inference."""
        if self.in_inference == "keep":
            return super().to_entry()
        common = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype.name}
        common["data_format"] = self.data_format
        if self.in_inference == "middle":
            return Resizing(self.height, self.width, crop_to_aspect_ratio=True, **common).to_entry()
        shapes = {self.inner_shape(node.inputs[0].shape)[1:3] for node in self.nodes}
        if len(shapes) == 1 and None not in (sides := shapes.pop()):
            (top, bottom), (left, right) = cut = self.cropping(sides)
            if (sides[0] - top - bottom, sides[1] - left - right) == (self.height, self.width):
                return Cropping2D(cut, **common).to_entry()
            if not np.any(cut):
                return Resizing(self.height, self.width, **common).to_entry()
        raise UnsupportedError(
            f"layer {self.name}: no layer of Keras 3.15 gives what this RandomCrop of Keras 3.6 or 3.7 gives for such "
            "images; save the weights alone"
        )


def in_proportions(sides: Sequence[int], size: Pair) -> list[int]:
    """The sides of the largest part that has the proportions of a size, to whole pixels."""
    height, width = sides
    rows, columns = min(height, width * size[0] // size[1]), min(width, height * size[1] // size[0])
    return [max(rows, 1), max(columns, 1)]


def cut_to_proportions(x: Tensor, size: Pair) -> Tensor:
    """The largest middle part of x that has the proportions of a size."""
    return middle(x, in_proportions(x.shape[1:3], size))


def middle(x: Tensor, size: Sequence[int]) -> Tensor:
    """The middle of x, nearer to the first row and column where the rest is odd."""
    rests = [old - new for old, new in zip(x.shape[1:3], size)]
    if not any(rests):
        return x
    rows, columns = ((rest // 2, rest - rest // 2) for rest in rests)
    return ops.cropping2d(x, (rows, columns))
