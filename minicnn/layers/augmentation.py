"""Keras' random augmentation layers, as they are at inference: the identity.

Files that contain them load and predict.  Training with them is refused rather than silently run without augmentation:
augment the images before they reach the model.
"""

from typing import Any

from minicnn.autograd import Tensor
from minicnn.errors import UnsupportedError

from .layer import Layer, plain_value

KERAS2_ALONE = ("RandomHeight", "RandomWidth")  # which Keras 3 cannot read


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


class AugMix(_Augmentation):
    """Chains of changes, mixed."""

    ARGUMENTS = (
        "value_range",
        "num_chains",
        "chain_depth",
        "factor",
        "alpha",
        "all_ops",
        "interpolation",
        "seed",
        "data_format",
    )


class CutMix(_Augmentation):
    """Parts of other pictures put in."""

    ARGUMENTS = ("factor", "seed", "data_format")


class MixUp(_Augmentation):
    """Means of two pictures."""

    ARGUMENTS = ("alpha", "data_format", "seed")


class RandAugment(_Augmentation):
    """Several changes, drawn."""

    ARGUMENTS = ("value_range", "num_ops", "factor", "interpolation", "seed", "data_format")


class RandomBrightness(_Augmentation):
    """Of the brightness."""

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")


class RandomColorDegeneration(_Augmentation):
    """Towards grey."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomColorJitter(_Augmentation):
    """Of brightness, contrast, saturation and hue."""

    ARGUMENTS = (
        "value_range",
        "brightness_factor",
        "contrast_factor",
        "saturation_factor",
        "hue_factor",
        "seed",
        "data_format",
    )


class RandomContrast(_Augmentation):
    """Of the contrast."""

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")


class RandomElasticTransform(_Augmentation):
    """By a smooth field of small moves."""

    ARGUMENTS = ("factor", "scale", "interpolation", "fill_mode", "fill_value", "value_range", "seed", "data_format")


class RandomErasing(_Augmentation):
    """Of a rectangle."""

    ARGUMENTS = ("factor", "scale", "fill_value", "value_range", "seed", "data_format")


class RandomFlip(_Augmentation):
    """Left-right or upside-down."""

    ARGUMENTS = ("mode", "seed", "data_format")


class RandomGaussianBlur(_Augmentation):
    """By a Gaussian filter."""

    ARGUMENTS = ("factor", "kernel_size", "sigma", "value_range", "data_format", "seed")


class RandomGrayscale(_Augmentation):
    """To grey."""

    ARGUMENTS = ("factor", "data_format", "seed")


class RandomHeight(_Augmentation):
    """Of the height (Keras 2)."""

    ARGUMENTS = ("factor", "interpolation", "seed")


class RandomHue(_Augmentation):
    """Of the hue."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomInvert(_Augmentation):
    """To the negative."""

    ARGUMENTS = ("factor", "value_range", "seed", "data_format")


class RandomPerspective(_Augmentation):
    """As seen from elsewhere."""

    ARGUMENTS = ("factor", "scale", "interpolation", "fill_value", "seed", "data_format")


class RandomPosterization(_Augmentation):
    """To fewer bits."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomRotation(_Augmentation):
    """By an angle, as a part of a full turn."""

    ARGUMENTS = ("factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")


class RandomSaturation(_Augmentation):
    """Of the saturation."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomSharpness(_Augmentation):
    """Of the sharpness."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomShear(_Augmentation):
    """Along height and width."""

    ARGUMENTS = ("x_factor", "y_factor", "interpolation", "fill_mode", "fill_value", "data_format", "seed")


class RandomTranslation(_Augmentation):
    """By a part of height and width."""

    ARGUMENTS = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")


class RandomWidth(_Augmentation):
    """Of the width (Keras 2)."""

    ARGUMENTS = ("factor", "interpolation", "seed")


class RandomZoom(_Augmentation):
    """By a factor for height and width."""

    ARGUMENTS = ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value", "data_format")


class Solarization(_Augmentation):
    """To the negative, above a threshold."""

    ARGUMENTS = ("addition_factor", "threshold_factor", "value_range", "seed", "data_format")
