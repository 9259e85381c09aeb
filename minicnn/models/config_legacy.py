"""What Keras 1 and 2 called things, and what a config may say that has no effect here."""

from __future__ import annotations

import warnings
from typing import Any, Literal

from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels.conv2d_transpose import output_size
from minicnn.layers import GRU, Layer, initializers
from minicnn.layers.core import InputLayer
from minicnn.layers.layer import constructor_arguments
from minicnn.layers.regularizers import get_constraint, get_regularizer

CLASS_ALIASES = {
    "Convolution1D": "Conv1D",
    "AtrousConvolution1D": "Conv1D",
    "SeparableConvolution1D": "SeparableConv1D",
    "Convolution1DTranspose": "Conv1DTranspose",
    "Convolution3D": "Conv3D",
    "MaxPool1D": "MaxPooling1D",
    "AvgPool1D": "AveragePooling1D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "MaxPool3D": "MaxPooling3D",
    "AvgPool3D": "AveragePooling3D",
    "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "ThresholdedReLU": "ReLU",
    "Convolution2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
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
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "U_regularizer": "recurrent_regularizer",
    "U_constraint": "recurrent_constraint",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
}
RENAMED_IN = {
    ("Dropout", "p"): "rate",
    ("SpatialDropout1D", "p"): "rate",
    ("SpatialDropout2D", "p"): "rate",
    ("SpatialDropout3D", "p"): "rate",
    ("AlphaDropout", "p"): "rate",
    ("GaussianDropout", "p"): "rate",
    ("GaussianNoise", "sigma"): "stddev",
    ("LeakyReLU", "alpha"): "negative_slope",
    ("ReLU", "theta"): "threshold",
    ("PReLU", "init"): "alpha_initializer",
    ("Embedding", "init"): "embeddings_initializer",
    ("Embedding", "W_regularizer"): "embeddings_regularizer",
    ("Embedding", "W_constraint"): "embeddings_constraint",
    ("Conv1D", "filter_length"): "kernel_size",
    ("Conv1D", "subsample_length"): "strides",
    ("MaxPooling1D", "pool_length"): "pool_size",
    ("MaxPooling1D", "stride"): "strides",
    ("AveragePooling1D", "pool_length"): "pool_size",
    ("AveragePooling1D", "stride"): "strides",
    ("UpSampling1D", "length"): "size",
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
    "supports_masking", "consume_less", "forget_bias_init", "rng_type",
}  # fmt: skip
KERAS2_HARD_SIGMOID = "hard_sigmoid_keras2"
IMPLIED = {"CuDNNGRU": {"reset_after": True}}  # by a class that had no argument for it
OLD = ("0", "1", "2")  # the versions of Keras, before their first point, in which some words meant something else
KERAS_THAT_CROPS = "3.5"  # the last in which RandomCrop gave the middle, resized, in inference
CELLS = {"SimpleRNNCell": "SimpleRNN", "LSTMCell": "LSTM", "GRUCell": "GRU"}
KERAS1_PENALTIES = ("WeightRegularizer", "L1L2Regularizer")
OF_LAYER = ("name", "trainable", "dtype")
MERGES = {  # Keras 1's modes of the one layer Merge
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}


def crop_in_inference(version: str) -> Literal["keep", "middle", "corner"]:
    """What RandomCrop of a version of Keras, "3" if it is not known, does in inference."""
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    if version.split(".")[0] in OLD:
        return "middle"
    if len(numbers) < 2 or numbers >= [3, 8]:
        return "keep"
    return "corner" if numbers >= [3, 6] else "middle"


def unmerged(name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """(class, config) of the layer that does what Keras 1's Merge does in its mode."""
    mode = config.get("mode", "sum")
    if mode not in MERGES or config.get("layers"):
        what = "of branches" if config.get("layers") else f"mode {mode!r}"
        raise UnsupportedError(f"layer {name!r} is a Merge {what} of Keras 1; known are {', '.join(MERGES)}")
    found: dict[str, Any] = {"name": name, "trainable": config.get("trainable", True)}
    if mode == "concat":
        found["axis"] = config.get("concat_axis", -1)
    elif mode in ("dot", "cos"):
        axes = config.get("dot_axes", -1)
        found["axes"] = (
            [axis[0] if isinstance(axis, list) else axis for axis in axes] if isinstance(axes, list) else axes
        )
        found["normalize"] = mode == "cos"
    return MERGES[mode], found


def sized_output(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The config of Keras 1's Deconvolution2D, which says the size of its output, with the output_padding for it.

    Raises
    ------
    UnsupportedError
        A size that no output_padding gives.
    """
    config = dict(config)
    whole = config.pop("output_shape", None) or [None] * 4
    sides = whole[2:4] if config.get("dim_ordering") == "th" else whole[1:3]
    padding = config.get("border_mode", "valid")
    windows = [*zip((config["nb_row"], config["nb_col"]), config.get("subsample") or (1, 1))]
    extra, usual = [], True
    for size, (taps, step) in zip(sides, windows):
        if size is not None:
            inputs = -(-size // step) if padding == "same" else -(-(size - taps + 1) // step)
            extra.append(size - output_size(inputs, taps, step, padding, 0))
            usual &= size == output_size(inputs, taps, step, padding)
    if usual:
        return config
    if len(extra) < 2 or not all(0 <= more < step for more, (_, step) in zip(extra, windows)):
        raise UnsupportedError(f"layer {name!r} is a Deconvolution2D with outputs of {tuple(sides)}, which Keras 2 and "
                               "minicnn cannot make of its window and strides")  # fmt: skip
    return {**config, "output_padding": extra}


def modern_config(cls: type[Layer], name: str, config: dict[str, Any], version: str) -> dict[str, Any]:
    """The constructor's arguments from a config of any Keras version.

    Raises
    ------
    UnsupportedError
        An option that changes the result and that minicnn does not have.
    """
    config = _keras1_kernel_size(dict(config))
    if cls is GRU and version.split(".")[0] in OLD:
        config = {"reset_after": False, **config}  # all that there was, before it could be chosen
    options: dict[str, Any] = {"name": name}
    known = {*constructor_arguments(cls), *getattr(cls, "ARGUMENTS", ()), "trainable", "dtype"}
    for key, value in config.items():
        key = RENAMED_IN.get((cls.__name__, key), key)
        if key not in known:
            key = RENAMED.get(key, key)
        if key in ("batch_input_shape", "batch_shape"):
            _set_input_shape(cls, options, value)
        elif key in known:
            options[key] = _value(key, _number(value), name, version)
        elif key not in IGNORED and key != "name" and not _harmless(value):
            raise UnsupportedError(f"layer {name!r} ({cls.__name__}): {key}={value!r} is not supported by minicnn")
        elif key == "groups" and value not in (1, None):
            raise UnsupportedError(f"layer {name!r} ({cls.__name__}): groups={value!r} is not supported by minicnn")
        elif key == "mode" and value not in (0, None):
            raise UnsupportedError(f"layer {name!r} ({cls.__name__}): mode={value!r} of Keras 1 is not supported")
    if cls is InputLayer:
        options.pop("trainable", None)
    return options


def layer_of_cell(name: str, config: Any) -> tuple[str, dict[str, Any]]:
    """(class, config) of the recurrent layer that an RNN around a cell is.

    Raises
    ------
    UnsupportedError
        Another cell than that of SimpleRNN, LSTM or GRU.
    """
    cell = config.get("cell") if isinstance(config, dict) else None
    kind = cell.get("class_name") if isinstance(cell, dict) else None
    if not isinstance(cell, dict) or kind not in CELLS:
        raise UnsupportedError(f"layer {name!r} is an RNN around {kind}; minicnn has {', '.join(CELLS)}")
    own = {key: value for key, value in config.items() if key != "cell"}
    return CELLS[kind], own | {key: value for key, value in cell["config"].items() if key not in OF_LAYER}


def _keras1_kernel_size(config: dict[str, Any]) -> dict[str, Any]:
    """nb_row and nb_col, or kernel_dim1 to 3, become kernel_size."""
    for names in (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")):
        if names[0] in config:
            config["kernel_size"] = tuple(config.pop(name) for name in names)
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
    elif key in ("activation", "recurrent_activation"):
        if value == "hard_sigmoid" and version.split(".")[0] in OLD:
            return KERAS2_HARD_SIGMOID  # clip(0.2 x + 0.5, 0, 1); Keras 3 has relu6(x + 3) / 6
    elif key.endswith("_initializer"):
        return _initializer(key, value, name)
    elif key.endswith(("_regularizer", "_constraint")):
        return _known(get_regularizer if key.endswith("_regularizer") else get_constraint, key, value, name)
    elif key == "padding" and isinstance(value, dict):
        raise UnsupportedError(f"layer {name!r}: padding {value!r} is not supported")
    return value


def _number(value: Any) -> Any:
    """An argument that may be a number of NumPy's, as Keras up to 2.3 writes it."""
    return value["value"] if isinstance(value, dict) and value.keys() == {"type", "value"} else value


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
        return get(_keras1_entry(value))
    except (ArgumentError, TypeError) as error:
        raise UnsupportedError(f"layer {name!r}: {key} is not supported by minicnn: {error}") from None


def _keras1_entry(value: Any) -> Any:
    """A penalty or constraint of Keras 1, whose name stands among its arguments, as later versions write it."""
    if not isinstance(value, dict) or "class_name" in value:
        return value
    config = {"max_value" if key == "m" else key: item for key, item in value.items() if key != "name"}
    name = str(value.get("name"))
    return {"class_name": "L1L2" if name in KERAS1_PENALTIES else name, "config": config}


def _harmless(value: Any) -> bool:
    """Whether an unknown option is switched off."""
    return value is None or value is False or value in ([], {})
