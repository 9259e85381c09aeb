"""Keras' random augmentation layers, as they are at inference: the identity.

Files that contain them load and predict.  Those that augment while training too are in random_images.py.  Training with
the others is refused rather than silently run without augmentation: augment the images before they reach the model.
"""

from typing import Any

from minicnn.autograd import Tensor
from minicnn.errors import UnsupportedError

from .layer import Layer, plain_value

KERAS2_ALONE = ("RandomHeight", "RandomWidth")  # which Keras 3 cannot read


class Augmentation(Layer):
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


class AugMix(Augmentation):
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


class CutMix(Augmentation):
    """Parts of other pictures put in."""

    ARGUMENTS = ("factor", "seed", "data_format")


class MixUp(Augmentation):
    """Means of two pictures."""

    ARGUMENTS = ("alpha", "data_format", "seed")


class RandAugment(Augmentation):
    """Several changes, drawn."""

    ARGUMENTS = ("value_range", "num_ops", "factor", "interpolation", "seed", "data_format")


class RandomColorDegeneration(Augmentation):
    """Towards grey."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomElasticTransform(Augmentation):
    """By a smooth field of small moves."""

    ARGUMENTS = ("factor", "scale", "interpolation", "fill_mode", "fill_value", "value_range", "seed", "data_format")


class RandomGaussianBlur(Augmentation):
    """By a Gaussian filter."""

    ARGUMENTS = ("factor", "kernel_size", "sigma", "value_range", "data_format", "seed")


class RandomHeight(Augmentation):
    """Of the height (Keras 2)."""

    ARGUMENTS = ("factor", "interpolation", "seed")


class RandomPerspective(Augmentation):
    """As seen from elsewhere."""

    ARGUMENTS = ("factor", "scale", "interpolation", "fill_value", "seed", "data_format")


class RandomPosterization(Augmentation):
    """To fewer bits."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomSharpness(Augmentation):
    """Of the sharpness."""

    ARGUMENTS = ("factor", "value_range", "data_format", "seed")


class RandomShear(Augmentation):
    """Along height and width."""

    ARGUMENTS = ("x_factor", "y_factor", "interpolation", "fill_mode", "fill_value", "data_format", "seed")


class RandomWidth(Augmentation):
    """Of the width (Keras 2)."""

    ARGUMENTS = ("factor", "interpolation", "seed")


class Solarization(Augmentation):
    """To the negative, above a threshold."""

    ARGUMENTS = ("addition_factor", "threshold_factor", "value_range", "seed", "data_format")
