"""From pictures to network input: a size, a way to reach it, and what becomes of the pixel values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import __version__
from minicnn.errors import ArgumentError, DTypeError, ShapeError

from .modes import ANY_CHANNELS, MODES, preprocess_input, to_grey
from .resize import ResizeRule


@dataclass(frozen=True)
class Preparation:
    """
    From picture files to a model's input.

    Attributes
    ----------
    rule : ResizeRule
        How a picture gets the size that the model takes.
    preprocessing : str
        "caffe", "tf", "torch", "unit" or "none": how pixels become numbers.
    channels : int
        Of the model's input: 3, or 1 for a model of grey pictures.
    channels_first : bool
        Whether the model takes (N,C,H,W).

    Raises
    ------
    ArgumentError
        A mode that treats colours differently, for a model of grey pictures.
    """

    rule: ResizeRule
    preprocessing: str
    channels: int = 3
    channels_first: bool = False

    def __post_init__(self):
        if self.channels == 1 and self.preprocessing in MODES and self.preprocessing not in ANY_CHANNELS:
            raise ArgumentError(
                f"preprocessing {self.preprocessing!r} is for colour pictures, the model takes grey ones: "
                f"{' or '.join(map(repr, ANY_CHANNELS))}"
            )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """uint8 pictures (N,H,W,3) as the model takes them, float32 (N,H,W,channels) or (N,channels,H,W)."""
        prepared = preprocess_input(to_grey(images) if self.channels == 1 else images, self.preprocessing)
        return np.ascontiguousarray(prepared.transpose(0, 3, 1, 2)) if self.channels_first else prepared

    def prepare(self, images: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Pictures of any size, uint8 (H,W,3) each, resized by the rule and as the model takes them.

        A model of grey pictures takes (H,W) and (H,W,1) too.

        Raises
        ------
        DTypeError, ShapeError
            Something that is not such a picture, as the name of a file is.

        Examples
        --------
        >>> photo = np.full((60, 40, 3), 255, np.uint8)
        >>> Preparation(ResizeRule(32), "tf").prepare([photo]).shape
        (1, 32, 32, 3)
        """
        if isinstance(images, str | Path):
            images = [images]  # type: ignore[list-item]  # which is refused by its name
        shape = () if isinstance(images, (list, tuple)) else np.shape(images)
        if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)):
            raise ShapeError(f"prepare takes a list of pictures: prepare([picture]); got one of shape {shape}")
        pictures = [as_picture(image, self.channels) for image in images]
        resized = [p if p.shape[:2] == self.size else self.rule.apply_to_array(p) for p in pictures]
        return self(np.stack(resized) if resized else np.zeros((0, *self.size, 3), np.uint8))

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], input_shape: tuple[int | None, ...]) -> "Preparation":
        """What a model's metadata says, for inputs (N,H,W,3) or (N,H,W,1), or with channels first.

        Raises
        ------
        ArgumentError
            It does not say how pixels are prepared, or to what size, or names a size that the inputs do not have.
        """
        mode, rule = metadata.get("preprocessing"), metadata.get("resize")
        if mode is None:
            raise ArgumentError(
                "the model does not say how pixels are prepared: set model.metadata['preprocessing'] to "
                f"{', '.join(map(repr, MODES[:-1]))} or {MODES[-1]!r}"
            )
        first = has_channels_first(input_shape)
        *sides, channels = (*input_shape[2:], input_shape[1]) if first else input_shape[1:]
        options = {"channels": 1 if len(sides) == 2 and channels == 1 else 3, "channels_first": first}
        if rule is not None:
            preparation = cls(ResizeRule.from_dict(rule), mode, **options)
            if any(side not in (None, own) for side, own in zip(sides, preparation.size)):
                raise ArgumentError(
                    f"the model takes inputs {input_shape}, and its metadata resizes pictures to {preparation.size}: "
                    "correct model.metadata['resize']"
                )
            return preparation
        if len(sides) != 2 or None in sides:
            raise ArgumentError(f"the model takes inputs {input_shape}, and its metadata names no size to resize to")
        return cls(ResizeRule(tuple(sides)), mode, **options)  # type: ignore[arg-type]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the pictures that the model takes."""
        height, width = self.rule.to_dict()["size"]
        return height, width

    def metadata(self, class_names: Sequence[str]) -> dict[str, Any]:
        """What a model file is to say: the preparation and the names of the classes."""
        return {
            "class_names": list(class_names),
            "input_size": list(self.size),
            "resize": self.rule.to_dict(),
            "preprocessing": self.preprocessing,
            "minicnn": __version__,
        }


def has_channels_first(input_shape: Sequence[int | None]) -> bool:
    """Whether inputs are pictures (N,C,H,W): with one channel or three there, and none at the end."""
    return len(input_shape) == 4 and input_shape[1] in (1, 3) and input_shape[3] not in (1, 3)


def as_picture(image: np.ndarray, channels: int = 3) -> np.ndarray:
    """A uint8 RGB picture, checked; a grey one (H,W) or (H,W,1) becomes one for a model that takes one channel."""
    if isinstance(image, str | Path):
        raise DTypeError(
            f"pictures are uint8 (H,W,3), and {str(image)!r} is the name of a file: "
            "minicnn.data.read_image(file).pixels reads one"
        )
    mode = getattr(image, "mode", "")
    if isinstance(mode, str) and mode not in ("", "RGB", "L"):  # of Pillow: the numbers of a palette are no grey
        raise ShapeError(f"a picture is RGB or grey; this one has Pillow's mode {mode}: give picture.convert('RGB')")
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise DTypeError(f"pictures are uint8 with values 0..255; got {array.dtype}")
    if channels == 1 and (array.ndim == 2 or array.shape[2:] == (1,)):
        array = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ShapeError(f"a picture is (H,W,3); got shape {array.shape}")
    if not array.size:
        raise ShapeError(f"a picture has no pixels: its shape is {array.shape}")
    return array
