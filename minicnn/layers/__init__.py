"""Layers with Keras' names, arguments, defaults and semantics.

`CLASSES` is the closed table from which models are built: a name that is not in it is never looked up anywhere else.
"""

from . import initializers
from .activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from .augmentation import (
    AugMix,
    CutMix,
    MixUp,
    RandAugment,
    RandomColorDegeneration,
    RandomElasticTransform,
    RandomGaussianBlur,
    RandomHeight,
    RandomPerspective,
    RandomPosterization,
    RandomSharpness,
    RandomShear,
    RandomWidth,
    Solarization,
)
from .borders import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from .conv_lstm import ConvLSTM2D
from .convolution import Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose
from .core import ActivityRegularization, Identity, Input, InputLayer, LayerScale, Rescaling
from .dense import Dense
from .depthwise import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from .embedding import Embedding
from .layer import Layer
from .masking import Masking
from .merge import Add, Average, Concatenate, CustomScaleLayer, Dot, Maximum, Minimum, Multiply, Subtract
from .noise import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
)
from .normalization import BatchNormalization, GroupNormalization, LayerNormalization, UnitNormalization
from .operation import Operation
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .random_images import (
    RandomBrightness,
    RandomColorJitter,
    RandomContrast,
    RandomErasing,
    RandomFlip,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomRotation,
    RandomSaturation,
    RandomTranslation,
    RandomZoom,
)
from .recurrent import GRU, LSTM, SimpleRNN
from .reshaping import Flatten, Permute, RepeatVector, Reshape
from .resizing import CenterCrop, RandomCrop, Resizing
from .standardization import Normalization
from .symbolic import SymbolicTensor
from .wrappers import Bidirectional, TimeDistributed

CLASSES: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Activation,
        ActivityRegularization,
        Add,
        AlphaDropout,
        AugMix,
        Average,
        AveragePooling1D,
        AveragePooling2D,
        AveragePooling3D,
        BatchNormalization,
        Bidirectional,
        CenterCrop,
        Concatenate,
        Conv1D,
        Conv1DTranspose,
        Conv2D,
        Conv2DTranspose,
        Conv3D,
        Conv3DTranspose,
        ConvLSTM2D,
        Cropping1D,
        Cropping2D,
        Cropping3D,
        CustomScaleLayer,
        CutMix,
        Dense,
        DepthwiseConv1D,
        DepthwiseConv2D,
        Dot,
        Dropout,
        ELU,
        Embedding,
        Flatten,
        GRU,
        GaussianDropout,
        GaussianNoise,
        GlobalAveragePooling1D,
        GlobalAveragePooling2D,
        GlobalAveragePooling3D,
        GlobalMaxPooling1D,
        GlobalMaxPooling2D,
        GlobalMaxPooling3D,
        GroupNormalization,
        Identity,
        InputLayer,
        LSTM,
        LayerNormalization,
        LayerScale,
        LeakyReLU,
        Masking,
        MaxPooling1D,
        MaxPooling2D,
        MaxPooling3D,
        Maximum,
        Minimum,
        MixUp,
        Multiply,
        Normalization,
        PReLU,
        Permute,
        RandAugment,
        RandomBrightness,
        RandomColorDegeneration,
        RandomColorJitter,
        RandomContrast,
        RandomCrop,
        RandomElasticTransform,
        RandomErasing,
        RandomFlip,
        RandomGaussianBlur,
        RandomGrayscale,
        RandomHeight,
        RandomHue,
        RandomInvert,
        RandomPerspective,
        RandomPosterization,
        RandomRotation,
        RandomSaturation,
        RandomSharpness,
        RandomShear,
        RandomTranslation,
        RandomWidth,
        RandomZoom,
        ReLU,
        RepeatVector,
        Rescaling,
        Reshape,
        Resizing,
        SeparableConv1D,
        SeparableConv2D,
        SimpleRNN,
        Softmax,
        Solarization,
        SpatialDropout1D,
        SpatialDropout2D,
        SpatialDropout3D,
        StochasticDepth,
        Subtract,
        TimeDistributed,
        UnitNormalization,
        UpSampling1D,
        UpSampling2D,
        UpSampling3D,
        ZeroPadding1D,
        ZeroPadding2D,
        ZeroPadding3D,
    )
}

__all__ = ["CLASSES", "Input", "Layer", "Operation", "SymbolicTensor", "initializers", *CLASSES]  # noqa: PLE0604
