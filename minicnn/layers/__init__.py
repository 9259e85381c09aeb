"""Layers with Keras' names, arguments, defaults and semantics.

`CLASSES` is the closed table from which models are built: a name that is not in it is never looked up anywhere else.
"""

from . import initializers
from .activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from .augmentation import (
    RandomBrightness,
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from .convolution import Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv2D
from .core import Input, InputLayer, Rescaling
from .dense import Dense
from .layer import Layer
from .merge import Add, Average, Concatenate, CustomScaleLayer, Maximum, Minimum, Multiply, Subtract
from .noise import Dropout, GaussianDropout, GaussianNoise, SpatialDropout2D
from .normalization import BatchNormalization, LayerNormalization
from .operation import Operation
from .pooling import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from .reshaping import Cropping2D, Flatten, Permute, Reshape, UpSampling2D, ZeroPadding2D
from .symbolic import SymbolicTensor

CLASSES: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Activation,
        Add,
        Average,
        AveragePooling2D,
        BatchNormalization,
        Concatenate,
        Conv2D,
        Conv2DTranspose,
        Cropping2D,
        CustomScaleLayer,
        Dense,
        DepthwiseConv2D,
        Dropout,
        ELU,
        Flatten,
        GaussianDropout,
        GaussianNoise,
        GlobalAveragePooling2D,
        GlobalMaxPooling2D,
        InputLayer,
        LayerNormalization,
        LeakyReLU,
        Maximum,
        MaxPooling2D,
        Minimum,
        Multiply,
        PReLU,
        Permute,
        RandomBrightness,
        RandomContrast,
        RandomFlip,
        RandomRotation,
        RandomTranslation,
        RandomZoom,
        ReLU,
        Rescaling,
        Reshape,
        SeparableConv2D,
        Softmax,
        SpatialDropout2D,
        Subtract,
        UpSampling2D,
        ZeroPadding2D,
    )
}

__all__ = ["CLASSES", "Input", "Layer", "Operation", "SymbolicTensor", "initializers", *CLASSES]  # noqa: PLE0604
