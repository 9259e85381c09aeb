"""Configs of Keras 1, 2 and 3 build the same layers; a config that would do harm or makes no sense is refused."""

import json
import time
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from random_nets import outputs

from minicnn import MinicnnError
from minicnn import layers as L
from minicnn.errors import FileFormatError, GraphError, UnsupportedError
from minicnn.models import Sequential, load_model, model_from_config, model_from_json

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    "name", ["tiny_legacy_weights.h5", "tiny_keras3.weights.h5", "depth_sorted_order.h5", "official_slash_names.h5"]
)
def test_configs_in_json(golden, name):
    model = model_from_json((golden / "files" / f"{name}.config.json").read_text())
    model.load_weights(golden / "files" / name)
    with np.load(golden / "files" / f"{name}.npz") as expected:
        np.testing.assert_allclose(model.predict(expected["x"]), expected["y"], rtol=1e-4, atol=1e-5)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    with np.load(golden / "files" / f"{name}.npz") as expected:
        np.testing.assert_array_equal(again.predict(expected["x"]), model.predict(expected["x"]))


def test_keras_2_counts_the_making_of_a_nested_model_as_its_first_call(golden):
    model = load_model(golden / "keras2_nested.h5")
    with np.load(golden / "keras2_nested.npz") as expected:
        for found, name in zip(model.predict(expected["x"]), ("first", "second"), strict=True):
            np.testing.assert_allclose(found, expected[name], rtol=1e-5)
    assert {call.training for call in model.program.calls if call.layer.name == "norm"} == {False}
    assert [layer.name for layer in model.layers] == ["x", "base", "drop", "known", "add", "late"]


KERAS1 = {
    "class_name": "Sequential",
    "config": [
        {
            "class_name": "Convolution2D",
            "config": {
                "name": "conv",
                "batch_input_shape": [None, 8, 8, 3],
                "nb_filter": 4,
                "nb_row": 3,
                "nb_col": 2,
                "bias": False,
                "subsample": [2, 1],
                "border_mode": "same",
                "dim_ordering": "tf",
                "init": "glorot_uniform",
                "activation": "relu",
                "W_regularizer": None,
                "input_dtype": "float32",
                "trainable": True,
            },
        },
        {
            "class_name": "BatchNormalization",
            "config": {
                "name": "norm",
                "mode": 0,
                "axis": 3,
                "epsilon": 1e-5,
                "momentum": 0.9,
                "beta_init": "zero",
                "gamma_init": "one",
                "gamma_regularizer": None,
                "trainable": True,
            },
        },
        {"class_name": "Dropout", "config": {"name": "drop", "p": 0.25, "trainable": True}},
        {"class_name": "Flatten", "config": {"name": "flat", "trainable": True}},
        {
            "class_name": "Dense",
            "config": {
                "name": "dense",
                "output_dim": 2,
                "init": "uniform",
                "activation": "hard_sigmoid",
                "input_dim": 128,
                "trainable": True,
            },
        },
    ],
}


def test_keras_1():
    model = model_from_config(deepcopy(KERAS1), "1.2.2")
    conv, norm, drop, _, dense = model.layers
    assert (conv.filters, conv.kernel_size, conv.strides, conv.padding, conv.use_bias) == (
        4,
        (3, 2),
        (2, 1),
        "same",
        False,
    )
    assert (norm.epsilon, norm.momentum) == (1e-5, 0.9)
    assert (drop.rate, dense.units) == (0.25, 2)
    assert model.output_shape == (None, 2)
    x = np.array([-2.0, 0.0, 1.0, 2.4, 3.0], np.float32)
    for version, expected in (("1.2.2", 0.2 * x + 0.5), ("3.0.0", x / 6 + 0.5)):
        gate = model_from_config(deepcopy(KERAS1), version).layers[-1]
        from minicnn import ops

        np.testing.assert_allclose(ops.activation(x, gate.activation).numpy(), np.clip(expected, 0, 1), rtol=1e-6)


@pytest.mark.parametrize(
    ("config", "attributes"),
    [
        ({"class_name": "LeakyReLU", "config": {"alpha": 0.125}}, {"negative_slope": 0.125}),
        ({"class_name": "MaxPool2D", "config": {"pool_size": [2, 2], "strides": None}}, {"strides": (2, 2)}),
        (
            {
                "class_name": "DepthwiseConv2D",
                "config": {"kernel_size": [3, 3], "groups": 1, "kernel_initializer": None},
            },
            {"depth_multiplier": 1},
        ),
        (
            {
                "class_name": "Dense",
                "config": {"units": 2, "kernel_initializer": {"class_name": "Orthogonal", "config": {}}},
            },
            {"units": 2},
        ),
        (
            {
                "class_name": "Dense",
                "config": {"units": 2, "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.5}}},
            },
            {"units": 2},
        ),
        (
            {"class_name": "Activation", "config": {"activation": {"class_name": "function", "config": "gelu"}}},
            {"activation": "gelu"},
        ),
        ({"class_name": "BatchNormalizationV1", "config": {"axis": [3]}}, {"momentum": 0.99, "axis": 3}),
    ],
)
def test_dialects(config, attributes):
    config = deepcopy(config)
    config["config"]["name"] = "it"
    entry = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 8, 8, 3], "name": "x", "sparse": False}}
    model = model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": [entry, config]}}, "2.9.0")
    assert {key: getattr(model.layers[0], key) for key in attributes} == attributes


def keras3(name: str, kind: str, config: dict[str, Any], *sources: Any, **kwargs: Any) -> dict[str, Any]:
    """A layer entry as Keras 3 writes it; a source is the name of a layer or a history."""

    def tensor(source: Any) -> dict[str, Any]:
        history = [source, 0, 0] if isinstance(source, str) else source
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 4], "dtype": "float32", "keras_history": history},
        }

    args = [tensor(source) for source in sources]
    args = [args] if len(args) > 1 else args
    entry = {"module": "keras.layers", "class_name": kind, "config": {"name": name, **config}, "registered_name": None}
    return {**entry, "name": name, "inbound_nodes": [{"args": args, "kwargs": kwargs}] if sources else []}


def functional(*layers: dict[str, Any], output: Any = None) -> dict[str, Any]:
    first = keras3("x", "InputLayer", {"batch_shape": [None, 4], "dtype": "float32"})
    output = output or [layers[-1]["name"], 0, 0]
    config = {"name": "m", "layers": [first, *layers], "input_layers": [["x", 0, 0]], "output_layers": [output]}
    return {"module": "keras", "class_name": "Functional", "config": config, "registered_name": "Functional"}


DENSE = {"units": 4}


def test_layers_may_be_listed_in_any_order():
    chain = [keras3(f"d{i}", "Dense", DENSE, f"d{i - 1}" if i else "x") for i in range(6)]
    model = model_from_config(functional(*reversed(chain), output=["d5", 0, 0]))
    assert [layer.name for layer in model.layers] == ["x", "d0", "d1", "d2", "d3", "d4", "d5"]


@pytest.mark.parametrize("kind", ["Sequential", "Functional"])
@pytest.mark.parametrize(("said", "frozen"), [({"trainable": False}, True), ({"trainable": True}, False), ({}, False)])
def test_a_nested_model_that_is_frozen_freezes_its_layers_whatever_they_say(kind, said, frozen):
    entry = keras3("d", "Dense", {"units": 4, "trainable": True}, "x")
    inner = functional(entry)["config"] if kind == "Functional" else {"layers": [entry], "build_input_shape": [None, 4]}
    outer = keras3("inner", kind, inner | {"name": "inner"} | said, "x")
    model = model_from_config(functional(outer, output=["inner", int(kind == "Functional"), 0]))
    assert model.get_layer("inner").trainable != frozen
    assert [weight.trainable for weight in model.weights] == [not frozen] * 2


def test_a_shared_layer_may_wait_for_one_that_waits_for_it():
    a, b = keras3("a", "Dense", DENSE, "x"), keras3("b", "Dense", DENSE, "a")
    a["inbound_nodes"].append(keras3("a", "Dense", DENSE, "b")["inbound_nodes"][0])
    b["inbound_nodes"].append(keras3("b", "Dense", DENSE, ["a", 1, 0])["inbound_nodes"][0])
    model = model_from_config(functional(a, b, output=["b", 1, 0]))
    assert [call.layer.name for call in model.program.calls] == ["a", "b", "a", "b"]


def test_the_mode_that_keras_3_writes_into_every_call_is_not_one_given_for_good():
    entries = [keras3("drop", "Dropout", {"rate": 0.5}, "x", training=False)]
    model = model_from_config(functional(*entries))
    x = np.ones((1, 4), np.float32)
    assert any((model(x, training=True).numpy() == 0).any() for _ in range(30))


def test_models_of_several_inputs_take_them_without_masks_and_by_name():
    """Keras lists a mask for each input, and takes inputs and outputs that have names in the order of these."""
    inner = functional(keras3("d", "Dense", {"units": 2}, "x"), keras3("e", "Dense", {"units": 3}, "y"))
    inner["config"]["layers"].append(keras3("y", "InputLayer", {"batch_shape": [None, 4], "dtype": "float32"}))
    inner["config"] |= {"input_layers": {"q": ["y", 0, 0], "p": ["x", 0, 0]}, "name": "inner"}
    inner["config"]["output_layers"] = {"b": ["e", 0, 0], "a": ["d", 0, 0]}
    call = keras3("inner", "Functional", inner["config"], "x", "x", mask=[None, None])
    model = model_from_config(functional(call, output=["inner", 1, 1]))
    assert model.output_shape == (None, 3)
    assert [tensor.node.layer.name for tensor in model.get_layer("inner").inputs] == ["x", "y"]
    x, other = call["inbound_nodes"][0]["args"][0]
    call["inbound_nodes"][0]["args"] = [{"q": other, "p": x}]
    assert model_from_config(functional(call, output=["inner", 1, 0])).output_shape == (None, 2)


def test_a_softmax_operation_along_another_axis_is_the_layer():
    entry = keras3("s", "Softmax", {"axis": 1}, "x") | {"module": "keras.src.ops.nn", "registered_name": "Softmax"}
    config = functional(entry)
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, 4, 3]
    x = np.arange(12, dtype=np.float32).reshape(1, 4, 3)
    np.testing.assert_allclose(model_from_config(config).predict(x).sum(1), 1, rtol=1e-6)


def test_a_class_of_its_author_with_the_name_of_a_known_one_is_refused():
    entry = keras3("d", "Dense", DENSE, "x") | {"module": None, "registered_name": "Dense"}
    with pytest.raises(UnsupportedError, match="layer 'd' is 'Dense' of 'Dense', which is code"):
        model_from_config(functional(entry))


@pytest.mark.parametrize("kind", ["Sequential", "Functional"])
def test_a_model_of_very_many_layers_is_built_or_refused_at_once(kind):
    names = ["x", *(f"r{i}" for i in range(20_000))]
    entries = [keras3(name, "ReLU", {}, source) for source, name in pairwise(names)]
    begin = time.process_time()  # of this process: a busy machine does not count
    with pytest.raises(GraphError, match="more than 20,000 layers"):
        model_from_config(functional(*entries) | {"class_name": kind})
    few = functional(*entries[:5000])
    assert len(model_from_config(few | {"class_name": kind}).layers) in (5000, 5001)
    assert time.process_time() - begin < 10


def test_building_a_model_leaves_its_config_alone():
    config = functional(keras3("d", "Dense", DENSE, "x"))
    before = deepcopy(config)
    model_from_config(config)
    assert config == before


def deep(levels: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"class_name": "Dense", "config": {"units": 1, "name": "d"}}
    for number in range(levels):
        entry = {"class_name": "Sequential", "config": {"name": f"s{number}", "layers": [entry]}}
    return entry


LAMBDA = {"function": ["4wEAAAAAAAA=", None, None], "function_type": "lambda"}


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (functional(keras3("hook", "Lambda", LAMBDA, "x")), UnsupportedError, "layer 'hook' is a Lambda"),
        (
            functional(keras3("mine", "Special", {}, "x")),
            UnsupportedError,
            "layer 'mine' is a Special, which minicnn does not have: build",
        ),
        (
            functional({**keras3("mine", "Dense", DENSE, "x"), "module": "my.code"}),
            UnsupportedError,
            "layer 'mine' .*runs no code",
        ),
        (
            functional({**keras3("mine", "Dense", DENSE, "x"), "registered_name": "my>Dense"}),
            UnsupportedError,
            "layer 'mine' .*runs no code",
        ),
        (
            functional({**keras3("op", "Call", {}, "x"), "module": "keras.src.ops.core"}),
            UnsupportedError,
            "operation 'op' is Call, which minicnn does not have",
        ),
        (functional(keras3("d", "Dense", {"units": 4, "magic": 7}, "x")), UnsupportedError, "layer 'd' .*magic=7"),
        (
            functional(keras3("d", "DepthwiseConv2D", {"kernel_size": 3, "groups": 2}, "x")),
            UnsupportedError,
            r"layer 'd' \(DepthwiseConv2D\): groups=2 is not supported",
        ),
        (
            functional(keras3("n", "BatchNormalization", {"mode": 2}, "x")),
            UnsupportedError,
            r"layer 'n' \(BatchNormalization\): mode=2 of Keras 1 is not supported",
        ),
        (
            functional(keras3("d", "Dense", {"units": 4, "activation": "os.system"}, "x")),
            MinicnnError,
            "layer d: unknown activation 'os.system'",
        ),
        (
            functional(keras3("d", "Dense", {"units": -4}, "x")),
            MinicnnError,
            "layer d: units must be a whole number of at least 1",
        ),
        (functional(keras3("d", "Dense", {}, "x")), MinicnnError, "."),
        (
            functional(keras3("a", "Dense", DENSE, "b"), keras3("b", "Dense", DENSE, "a")),
            GraphError,
            "cycle.*through a, b",
        ),
        (functional(keras3("a", "Dense", DENSE, "a")), GraphError, "cycle.*through a"),
        (functional(keras3("a", "Dense", DENSE, "ghost")), GraphError, "layer a takes its input from 'ghost'"),
        (functional(keras3("a", "Dense", DENSE, ["x", 5, 0])), GraphError, "never comes, through a"),
        (functional(keras3("a", "Dense", DENSE, ["x", 0, 5])), FileFormatError, "not as Keras writes it"),
        (
            functional(keras3("a", "Dense", DENSE, "x"), output=["ghost", 0, 0]),
            GraphError,
            "names 'ghost' as input or output",
        ),
        (
            functional(keras3("a", "Dense", DENSE, "x"), keras3("a", "Dense", DENSE, "x")),
            GraphError,
            "two layers named a",
        ),
        ({"class_name": "Functional", "config": {}}, FileFormatError, "not as Keras writes it"),
        ({"class_name": "Functional", "config": []}, FileFormatError, "must be an object"),
        ({"class_name": "Subclassed", "config": {}}, UnsupportedError, "'Subclassed'; minicnn builds Sequential"),
        ({"class_name": "Sequential", "config": {"layers": [5]}}, FileFormatError, "not as Keras writes it"),
        (
            {
                "class_name": "Sequential",
                "config": {"layers": [{"class_name": "StackedRNNCells", "config": {"name": "l"}}]},
            },
            UnsupportedError,
            "layer 'l' is a StackedRNNCells",
        ),
        (deep(100_000), FileFormatError, "nested too deeply"),
    ],
)
def test_refusals(config, error, message):
    with pytest.raises(error, match=message) as caught:
        model_from_config(config)
    assert isinstance(caught.value, MinicnnError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "not json", "[]", "5", '"text"', "{", "null", b"\xff\xfe", "[" * 100_000])
def test_text_that_is_no_config(text):
    with pytest.raises(FileFormatError) as caught:
        model_from_json(text)
    assert "\n" not in str(caught.value)


def test_a_chain_of_thousands_of_layers_is_read():
    count = 1500
    chain = [keras3(f"r{i}", "ReLU", {}, f"r{i - 1}" if i else "x") for i in range(count)]
    model = model_from_json(json.dumps(functional(*reversed(chain), output=[f"r{count - 1}", 0, 0])))
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(outputs(model.predict(x))[0], x)


def dense_config(**options: Any) -> dict[str, Any]:
    """A Sequential of one dense layer."""
    config = json.loads(Sequential([L.Input((3,)), L.Dense(2, name="d")]).to_json())
    config["config"]["layers"][1]["config"] |= options
    return config


@pytest.mark.parametrize("key", ["kernel_regularizer", "bias_constraint"])
def test_a_penalty_or_constraint_of_the_files_author_is_refused(key):
    with pytest.raises(UnsupportedError, match=rf"layer 'd': {key} is not supported by minicnn: unknown .* known are"):
        model_from_json(json.dumps(dense_config(**{key: {"class_name": "Mine", "config": {}}})))


def test_an_unknown_initializer_is_replaced_and_said():
    with pytest.warns(UserWarning, match="layer 'd': kernel_initializer is not known .*Mine"):
        model = model_from_json(json.dumps(dense_config(kernel_initializer={"class_name": "Mine", "config": {}})))
    assert not model.get_layer("d").get_weights()[0].any()
