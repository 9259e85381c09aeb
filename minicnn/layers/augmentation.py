"""Keras' random augmentation layers, as they are at inference: the identity.

Files that contain them load and predict.  Training with them is refused rather than silently run without augmentation:
augment the images before they reach the model.
"""

from typing import Any

from minicnn.autograd import Tensor
from minicnn.errors import UnsupportedError

from .layer import Layer, plain_value


class _Augmentation(Layer):
    """Base of the augmentation layers: keeps its arguments, changes nothing at inference."""

    deterministic = False
    ARGUMENTS: tuple[str, ...] = ()

    def __init__(self, *values: Any, **options: Any):
        named = {key: options.pop(key) for key in self.ARGUMENTS if key in options}
        super().__init__(**options)
        self.arguments = dict(zip(self.ARGUMENTS, values)) | named

    def call(self, x: Tensor, training: bool) -> Tensor:
        if training:
            raise UnsupportedError(
                f"layer {self.name} ({type(self).__name__}) does not augment while training; "
                "augment the images before the model, or take the layer out"
            )
        return x

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "dtype": str(self.dtype)} | {
            name: plain_value(value) for name, value in self.arguments.items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        return cls(**config)


class RandomFlip(_Augmentation):
    """Left-right or upside-down."""

    ARGUMENTS = ("mode", "seed", "data_format")


class RandomRotation(_Augmentation):
    """By an angle, as a part of a full turn."""

    ARGUMENTS = ("factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")


class RandomZoom(_Augmentation):
    """By a factor for height and width."""

    ARGUMENTS = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")


class RandomTranslation(_Augmentation):
    """By a part of height and width."""

    ARGUMENTS = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")


class RandomContrast(_Augmentation):
    """Of the contrast."""

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")


class RandomBrightness(_Augmentation):
    """Of the brightness."""

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")
