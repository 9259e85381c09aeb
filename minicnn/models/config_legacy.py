"""What Keras 1 and 2 called things, and what a config may say that has no effect here."""

from __future__ import annotations

import warnings
from typing import Any

from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.layers import Layer, initializers
from minicnn.layers.core import InputLayer
from minicnn.layers.layer import constructor_arguments
from minicnn.layers.regularizers import get_constraint, get_regularizer

CLASS_ALIASES = {
    "Convolution2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
}
OPERATIONS = {  # Keras 2's operations on tensors: names after "tf."
    "__operators__.add": "Add",
    "math.add": "Add",
    "math.subtract": "Subtract",
    "__operators__.subtract": "Subtract",
    "math.multiply": "Multiply",
    "math.truediv": "TrueDivide",
    "math.divide": "TrueDivide",
    "math.negative": "Negative",
    "nn.relu": "Relu",
    "nn.relu6": "Relu6",
    "nn.silu": "Silu",
    "nn.swish": "Silu",
    "nn.softmax": "Softmax",
    "math.sigmoid": "Sigmoid",
    "nn.sigmoid": "Sigmoid",
    "math.tanh": "Tanh",
}
RENAMED = {
    "nb_filter": "filters",
    "subsample": "strides",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "bias": "use_bias",
    "output_dim": "units",
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "atrous_rate": "dilation_rate",
}
RENAMED_IN = {
    ("Dropout", "p"): "rate",
    ("SpatialDropout2D", "p"): "rate",
    ("GaussianDropout", "p"): "rate",
    ("GaussianNoise", "sigma"): "stddev",
    ("LeakyReLU", "alpha"): "negative_slope",
    ("Concatenate", "concat_axis"): "axis",
    ("BatchNormalization", "beta_init"): "beta_initializer",
    ("BatchNormalization", "gamma_init"): "gamma_initializer",
    ("DepthwiseConv2D", "kernel_regularizer"): "depthwise_regularizer",
}
IGNORED = {  # no effect on what is computed, or said elsewhere
    "activity_regularizer", "autocast", "fused", "groups", "implementation", "input_dim", "input_dtype", "input_length",
    "kernel_constraint", "kernel_initializer", "kernel_regularizer", "lora_alpha", "lora_rank", "optional",
    "quantization_config", "ragged", "registered_name", "renorm_clipping", "renorm_momentum", "sparse", "synchronized",
    "virtual_batch_size", "weights", "gamma_regularizer", "mode", "pointwise_initializer", "depthwise_initializer",
    "pointwise_regularizer", "depthwise_regularizer", "pointwise_constraint", "depthwise_constraint",
    "supports_masking",
}  # fmt: skip
KERAS2_HARD_SIGMOID = "hard_sigmoid_keras2"


def modern_config(cls: type[Layer], name: str, config: dict[str, Any], version: str) -> dict[str, Any]:
    """The constructor's arguments from a config of any Keras version.

    Raises
    ------
    UnsupportedError
        An option that changes the result and that minicnn does not have.
    """
    config = _keras1_kernel_size(dict(config))
    options: dict[str, Any] = {"name": name}
    known = {*constructor_arguments(cls), *getattr(cls, "ARGUMENTS", ()), "trainable", "dtype"}
    for key, value in config.items():
        key = RENAMED_IN.get((cls.__name__, key), key)
        if key not in known:
            key = RENAMED.get(key, key)
        if key in ("batch_input_shape", "batch_shape"):
            _set_input_shape(cls, options, value)
        elif key in known:
            options[key] = _value(key, value, name, version)
        elif key not in IGNORED and key != "name" and not _harmless(value):
            raise UnsupportedError(f"layer {name!r} ({cls.__name__}): {key}={value!r} is not supported by minicnn")
        elif key == "groups" and value not in (1, None):
            raise UnsupportedError(f"layer {name!r} ({cls.__name__}): groups={value!r} is not supported by minicnn")
        elif key == "mode" and value not in (0, None):
            raise UnsupportedError(f"layer {name!r} ({cls.__name__}): mode={value!r} of Keras 1 is not supported")
    if cls is InputLayer:
        options.pop("trainable", None)
    return options


def _keras1_kernel_size(config: dict[str, Any]) -> dict[str, Any]:
    """nb_row and nb_col become kernel_size."""
    if "nb_row" in config:
        config["kernel_size"] = (config.pop("nb_row"), config.pop("nb_col"))
    return config


def _set_input_shape(cls: type[Layer], options: dict[str, Any], shape: Any) -> None:
    if shape is None:
        return
    if cls is InputLayer:
        options["batch_shape"] = tuple(shape)
    else:
        options["input_shape"] = tuple(shape)[1:]


def _value(key: str, value: Any, name: str, version: str) -> Any:
    """An argument as minicnn takes it."""
    if key == "data_format":
        value = {"tf": "channels_last", "th": "channels_first", "default": "channels_last"}.get(value, value)
    elif key == "activation":
        if value == "hard_sigmoid" and version.split(".")[0] in ("0", "1", "2"):
            return KERAS2_HARD_SIGMOID  # clip(0.2 x + 0.5, 0, 1); Keras 3 has relu6(x + 3) / 6
    elif key.endswith("_initializer"):
        return _initializer(key, value, name)
    elif key.endswith(("_regularizer", "_constraint")):
        return _known(get_regularizer if key.endswith("_regularizer") else get_constraint, key, value, name)
    elif key == "padding" and isinstance(value, dict):
        raise UnsupportedError(f"layer {name!r}: padding {value!r} is not supported")
    return value


def _initializer(key: str, value: Any, name: str) -> Any:
    """A known initializer; for another one zeros, which the weights of the file replace."""
    try:
        return initializers.get(value)
    except (ArgumentError, TypeError) as error:
        warnings.warn(f"layer {name!r}: {key} is not known ({error}); its weights begin as zeros", stacklevel=2)
        return "zeros"


def _known(get: Any, key: str, value: Any, name: str) -> Any:
    """A known penalty or constraint: training without it would be another training."""
    try:
        return get(value)
    except (ArgumentError, TypeError) as error:
        raise UnsupportedError(f"layer {name!r}: {key} is not supported by minicnn: {error}") from None


def _harmless(value: Any) -> bool:
    """Whether an unknown option is switched off."""
    return value is None or value is False or value in ([], {})
