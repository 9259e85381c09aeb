"""Augmentation: random changes of pictures, uint8 (H,W,3) in and out, before a model's preparation.

>>> import numpy as np
>>> from minicnn.data import augment
>>> changes = augment.Pipeline([augment.Flip(), augment.Rotate(10), augment.Brightness(0.1)], seed=1)
>>> picture = np.zeros((8, 8, 3), np.uint8)
>>> np.array_equal(changes(picture, index=3, epoch=0), changes(picture, index=3, epoch=0))
True
"""

from .callables import Adapted
from .colour import Brightness, Contrast, Hue, Saturation
from .erasing import Erase
from .geometry import Flip, PadCrop, RandomCrop, ResizedCrop, Rotate, Shift, Zoom
from .mixing import CutMix, MixUp
from .pipeline import Pipeline
from .step import Mixing, Step

__all__ = [
    "Adapted",
    "Brightness",
    "Contrast",
    "CutMix",
    "Erase",
    "Flip",
    "Hue",
    "MixUp",
    "Mixing",
    "PadCrop",
    "Pipeline",
    "RandomCrop",
    "ResizedCrop",
    "Rotate",
    "Saturation",
    "Shift",
    "Step",
    "Zoom",
]
