"""Names, arguments and defaults are Keras', and a config builds the same layer again."""

import inspect
import json
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, NUMBERED

from minicnn import layers
from minicnn.errors import ArgumentError
from minicnn.layers import CLASSES
from minicnn.layers.augmentation import KERAS2_ALONE
from minicnn.layers.layer import constructor_arguments
from minicnn.layers.naming import snake_case
from minicnn.models import Sequential

pytestmark = pytest.mark.numpy_only
COMMON = {"name", "trainable", "dtype", "input_shape"}
LEFT_OUT = {  # of Keras 3, without effect on what is computed here
    "activity_regularizer",
    "lora_rank",
    "lora_alpha",
    "quantization_config",
    "renorm",
    "renorm_clipping",
    "renorm_momentum",
    "synchronized",
    "sparse",
    "ragged",
    "input_tensor",
    "optional",
    "use_cudnn",
    "weights",
    *COMMON,
}

AUGMENTATION = [name for name, cls in CLASSES.items() if hasattr(cls, "ARGUMENTS") and name not in KERAS2_ALONE]


@pytest.fixture(scope="module")
def keras(golden) -> dict[str, Any]:
    return json.loads((golden / "keras_facts.json").read_text())


def test_every_class_has_cases(keras):
    assert CASES.keys() == CLASSES.keys() == keras["defaults"].keys() | set(KERAS2_ALONE)


def arguments(cls: type) -> dict[str, Any]:
    """Arguments that may be given by position, with their defaults."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    plain = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in {"self", *COMMON}]
    return {p.name: p.default for p in plain}


@pytest.mark.parametrize("name", [name for name, cls in CLASSES.items() if not hasattr(cls, "ARGUMENTS")])
def test_arguments_and_defaults_are_those_of_keras(keras, name):
    own, theirs = arguments(CLASSES[name]), keras["defaults"][name]
    assert list(own) == [argument for argument in theirs if argument not in LEFT_OUT]
    for argument, default in own.items():
        if argument == "data_format" or theirs[argument] == "required":
            continue
        assert np.array_equal(np.broadcast_to(default, np.shape(theirs[argument])), theirs[argument]), argument


@pytest.mark.parametrize("name", AUGMENTATION)
def test_augmentation_takes_the_arguments_of_keras(keras, name):
    theirs = [argument for argument in keras["defaults"][name] if argument not in LEFT_OUT]
    assert list(CLASSES[name].ARGUMENTS)[: len(theirs)] == theirs


def test_automatic_names_are_those_of_keras(keras):
    names = {name: snake_case(name) for name in CLASSES if name not in KERAS2_ALONE}
    assert names == keras["automatic_names"]


@pytest.mark.parametrize(("name", "index"), NUMBERED)
def test_config_round_trip(name, index):
    given, _ = CASES[name][index]
    cls = CLASSES[name]
    layer = cls(**given, name="mine")
    config = layer.get_config()
    again = cls.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert again.name == config["name"] == "mine"
    for argument, value in given.items():
        found = getattr(again, argument) if argument not in getattr(cls, "ARGUMENTS", ()) else again.arguments[argument]
        assert plain(found) == plain(getattr(layer, argument, value)), argument


def plain(value: Any) -> Any:
    """Something to compare: layers by their configs, objects by class and arguments, tuples as lists."""
    if isinstance(value, layers.Layer):
        return value.get_config()
    if hasattr(value, "__dict__"):
        public = {key: plain(item) for key, item in vars(value).items() if not key.startswith("_")}
        return (type(value).__name__, public)
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "InputLayer" and "Spatial" not in name])
def test_common_arguments_travel_in_the_config(name):
    given, _ = CASES[name][0]
    layer = CLASSES[name](**given, name="mine", trainable=False, dtype="float64")
    again = CLASSES[name].from_config(layer.get_config())
    assert (again.name, again.trainable, again.dtype) == ("mine", False, np.float64)


def test_every_argument_that_changes_something_is_in_a_case():
    for name, cls in CLASSES.items():
        tried = {argument for given, _ in CASES[name] for argument in given}
        missing = {*constructor_arguments(cls)} - tried - {"data_format", "values", "shape", "batch_size", "stateful"}
        assert missing <= {"bias_initializer", "bias_regularizer", "bias_constraint", "axis", "beta_constraint"}, name


def test_automatic_names_count_per_class():
    layers.naming.reset_names()
    names = [layers.ReLU().name, layers.Conv2D(1, 1).name, layers.ReLU().name, layers.Dense(1, name="a").name]
    assert [*names, layers.Dense(1).name, layers.Conv2D(1, 1).name] == [
        "re_lu",
        "conv2d",
        "re_lu_1",
        "a",
        "dense",
        "conv2d_1",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "filters must be a whole number of at least 1; it is 0"),
        (lambda: layers.Conv2D(4, 3, groups=3), "4 filters in 3 groups"),
        (lambda: layers.Conv2D(4, 0), "kernel_size"),
        (lambda: layers.Conv2D(4, 3, strides=(1, 2, 3)), "strides"),
        (lambda: layers.Conv2D(4, 3, padding="full"), "padding must be 'valid' or 'same'; it is 'full'"),
        (lambda: layers.Conv2D(4, 3, activation="rulu"), "unknown activation 'rulu'; known are .*relu"),
        (lambda: layers.Conv2D(4, 3, kernel_initializer="nope"), "unknown initializer 'nope'; known are"),
        (lambda: layers.Conv2D(4, 3, kernel_regularizer="l3"), "unknown regularizer 'l3'"),
        (lambda: layers.Conv2D(4, 3, kernel_constraint="max"), "unknown constraint 'max'; known are"),
        (
            lambda: layers.Conv2D(4, 3, data_format="first"),
            "data_format must be one of 'channels_last', 'channels_first'",
        ),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), r"strides \(2, 2\) with dilation"),
        (lambda: layers.Conv2DTranspose(4, 3, 2, dilation_rate=2), r"strides \(2, 2\) with dilation"),
        (lambda: layers.Conv2D(4, 3, activtion="relu"), "activtion is perhaps activation; it takes activation, "),
        (lambda: layers.Dense(0), "units must be a whole number of at least 1"),
        (lambda: layers.Dropout(1.5), "rate must be .* 1.5"),
        (lambda: layers.SpatialDropout2D(-0.1), "rate must be"),
        (lambda: layers.GaussianDropout(1.0), "rate must be"),
        (lambda: layers.Permute((0, 1)), r"dims \(0, 1\) must be an order of 1..2"),
        (
            lambda: layers.UpSampling2D(interpolation="cubic"),
            "interpolation must be one of 'nearest', .*; it is 'cubic'",
        ),
        (lambda: layers.Dense(3, dtype="int8"), "dtype 'int8'"),
        (lambda: layers.Conv1D(4, (3, 3)), "kernel_size must be a whole number or a list of one, of at least 1"),
        (lambda: layers.Conv3D(4, (3, 3)), "kernel_size must be a whole number or three, of at least 1"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "padding must be 'valid' or 'same'; it is 'causal'"),
        (lambda: layers.MaxPooling1D(2, padding="causal"), "padding must be 'valid' or 'same'"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), "padding must be a whole number or two, of at least 0"),
        (lambda: layers.ZeroPadding3D((1, 2)), "padding must be one number, three, or three pairs"),
        (lambda: layers.GroupNormalization(0), "groups must be a whole number of at least 1; it is 0"),
        (lambda: layers.Embedding(0, 3), "input_dim must be a whole number of at least 1"),
        (lambda: layers.Embedding(2**25, 3), "input_dim 33554432; at most"),
        (lambda: layers.Dot("a"), "axes must be a whole number or two; it is 'a'"),
        (lambda: layers.Dot((1, 2, 3)), "axes must be a whole number or two"),
        (lambda: layers.RepeatVector(0), "n must be a whole number of at least 1"),
        (lambda: layers.Resizing(0, 3), "height must be a whole number of at least 1; it is 0"),
        (lambda: layers.Resizing(10**6, 3), "height and width must be at most 65536"),
        (lambda: layers.Resizing(3, 3, "area"), "interpolation must be one of 'nearest', 'bilinear', .*; it is 'area'"),
        (lambda: layers.Resizing(3, 3, fill_mode="edge"), "fill_mode must be one of 'constant'; it is 'edge'"),
        (
            lambda: layers.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            "crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other",
        ),
        (lambda: layers.AlphaDropout(1.5), "rate must be"),
        (lambda: layers.SpatialDropout1D(1.5), "rate must be"),
        (lambda: layers.Input(), r"Input takes shape=\(H,W,C\)"),
        (lambda: layers.Input((0, 3)), r"\(0, 3\) is no shape"),
        (
            lambda: layers.Dense.from_config({"units": 3, "name": "d", "unitz": 4}),
            "does not take unitz; unitz is perhaps units; it takes",
        ),
    ],
)
def test_bad_arguments_are_refused(make, message):
    from minicnn import MinicnnError

    with pytest.raises(MinicnnError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "policy",
    [
        "mixed_float16",
        "mixed_bfloat16",
        {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}},
        None,
        "float32",
    ],
)
def test_policies_compute_in_float32(policy):
    assert layers.Dense(3, dtype=policy).dtype == np.float32


def test_inputs_can_be_given_in_every_spelling():
    shapes = [
        layers.Input((4, 3)),
        layers.Input(shape=[4, 3]),
        layers.Input(batch_shape=(None, 4, 3)),
        layers.InputLayer((4, 3)).output,
        layers.InputLayer(input_shape=(4, 3)).output,
        layers.InputLayer(batch_shape=(None, 4, 3)).output,
    ]
    assert {tensor.shape for tensor in shapes} == {(None, 4, 3)}
    assert layers.Input(5).shape == (None, 5)
    assert layers.Input((5,), batch_size=2).shape == (2, 5)
    with pytest.raises(ArgumentError):
        layers.InputLayer((4,), batch_shape=(None, 4))


def test_arguments_of_keras_that_change_nothing_here():
    dense = layers.Dense(3, input_dim=4, activity_regularizer=None, autocast=True)
    assert Sequential([dense]).input_shape == (None, 4)
    recurrent = layers.LSTM(2, implementation=2, use_cudnn="auto", time_major=False, batch_input_shape=(None, 5, 3))
    assert Sequential([recurrent]).input_shape == (None, 5, 3)
    assert Sequential([layers.Embedding(9, 4, input_length=5)]).input_shape == (None, 5)
    assert Sequential([layers.GRU(2, input_length=5, input_dim=3)]).input_shape == (None, 5, 3)
    with pytest.raises(ArgumentError, match="Dense does not take activity_regularizer; it takes"):
        layers.Dense(3, activity_regularizer="l2")
