"""Files that minicnn writes open in Keras 3, and Keras computes the same from them.

Keras is no dependency: these tests run where it is installed beside minicnn, and are skipped elsewhere.
"""

import json
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from layer_cases import CASES, NUMBERED
from random_nets import images, nets, outputs, randomize

from minicnn import layers as L
from minicnn import losses, optimizers, schedules
from minicnn.bench import engines, networks
from minicnn.layers.augmentation import KERAS2_ALONE
from minicnn.models import Model, Sequential, load_model, model_from_json
from minicnn.models.config_reading import _Reader

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = pytest.mark.filterwarnings("default")


def assert_close(found: Any, expected: Any, tolerance: float = 1e-5) -> None:
    for a, b in zip(outputs(found), outputs(expected), strict=True):
        assert a.shape == b.shape
        assert np.linalg.norm(a - b) <= tolerance * max(np.linalg.norm(b), 1e-3)


def feed(model: Model, count: int = 3) -> Any:
    """Random input for a model."""
    generator = np.random.default_rng(1)
    arrays = [generator.uniform(0.1, 1, (count, *t.shape[1:])).astype(np.float32) for t in model.inputs]
    return arrays[0] if len(arrays) == 1 else arrays


def check(model: Model, path: Any, x: Any) -> None:
    """Keras opens what minicnn saved, minicnn opens what Keras saved from it, and all predict the same."""
    expected = model.predict(x)
    model.save(path)
    theirs = keras.models.load_model(path, compile=False)
    assert_close(theirs.predict(x, verbose=0), expected)
    assert [layer.name for layer in theirs.layers if layer.weights] == [
        layer.name for layer in model.layers if layer.weights
    ]
    for a, b in zip(theirs.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    back = path.with_name("back.keras")
    theirs.save(back)
    assert_close(load_model(back).predict(x), expected)


@pytest.mark.parametrize("sides", [(9, 9), (3, 9), (2, 3), (4, 6)])
@pytest.mark.parametrize("version", ["2.12.0", "3.15.1"])
def test_a_random_crop_of_images_of_any_size(version, sides, tmp_path):
    config = {"name": "crop", "height": 4, "width": 6}
    crop = _Reader(version).layer({"class_name": "RandomCrop", "config": config})
    model = Sequential([L.Input((*sides, 2)), crop, L.Conv2D(3, 2), L.GlobalAveragePooling2D()])
    check(model, tmp_path / "a.keras", feed(model))


SUFFIXES = [".keras", ".h5"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("name", "index"), [case for case in NUMBERED if case[0] not in ("InputLayer", *KERAS2_ALONE)])
def test_every_layer(name, index, suffix, tmp_path):
    arguments, shape = CASES[name][index]
    inputs = [L.Input(s) for s in shape] if isinstance(shape, list) else L.Input(shape)
    model = Model(inputs, L.CLASSES[name](**arguments, name="it")(inputs))
    randomize(model, 0)
    check(model, tmp_path / f"model{suffix}", feed(model))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "name",
    [
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "celu",
        "selu",
        "gelu",
        "sigmoid",
        "hard_sigmoid",
        "tanh",
        "softplus",
        "softsign",
        "swish",
        "silu",
        "hard_swish",
        "hard_silu",
        "exponential",
        "mish",
        "hard_shrink",
        "hard_tanh",
        "log_sigmoid",
        "soft_shrink",
        "sparse_plus",
        "sparse_sigmoid",
        "squareplus",
        "tanh_shrink",
        "softmax",
        "log_softmax",
        "linear",
    ],
)
def test_every_activation(name, suffix, tmp_path):
    model = Sequential([L.Input((4,)), L.Dense(5, activation=name), L.Activation(name)])
    randomize(model, 0)
    check(model, tmp_path / f"model{suffix}", feed(model))


def operators() -> Model:
    x, y = L.Input((4,), name="x"), L.Input((4,), name="y")
    z = 1 - x * 0.5 + y / 4 - (-x) * np.array([1, 2, 3, 4], np.float32) + np.float32(0.25)
    z = L.Operation("Relu")(2 / (z * z + 1) - 0.3)
    return Model([x, y], [L.Operation("Sigmoid")(z), L.Operation("Tanh")(L.Operation("Silu")(z))])


def nested() -> Model:
    inner = Sequential([L.Input((6, 6, 3)), L.Conv2D(3, 3, padding="same"), L.BatchNormalization()], name="inner")
    a = L.Input((6, 6, 3))
    middle = Model(a, L.Add()([inner(a), a]), name="middle")
    b = L.Input((6, 6, 3))
    middle.trainable = False
    return Sequential([Model(b, middle(b, training=False), name="whole"), L.Flatten(), L.Dense(2, name="end")])


def shared() -> Model:
    layer, base = L.Dense(4, name="shared"), Sequential([L.Input((4,)), L.Dense(4, "relu")], name="base")
    x, y = L.Input((4,), name="x"), L.Input((4,), name="y")
    a, b = layer(layer(x)), layer(base(y))
    return Model([x, y], [L.Concatenate(name="c")([a, base(b)]), b])


def several() -> Model:
    x = L.Input((4,))
    inner = Model(x, [L.Dense(3, name="p")(x), L.Dense(2, name="q")(x)], name="two")
    y = L.Input((4,))
    p, q = inner(y)
    return Model(y, [L.ReLU()(q), p])


def recurrent() -> Model:
    """Masks, states of one layer that another begins with, layers both ways, and a CNN for every step."""
    rows, video = L.Input((5, 4)), L.Input((5, 6, 6, 2))
    y, h, c = L.LSTM(3, return_sequences=True, return_state=True)(L.Masking(0.5)(rows))
    y = L.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid")(y, initial_state=[h, c])
    cnn = Sequential([L.Input((6, 6, 2)), L.Conv2D(3, 3, activation="relu"), L.BatchNormalization(), L.Flatten()])
    both = L.Bidirectional(L.GRU(2, return_sequences=True))(L.TimeDistributed(cnn)(video))
    y = L.Concatenate(name="joined")([L.Dropout(0.5)(y), both])  # Keras names the mask's operation "concatenate"
    return Model([rows, video], [L.GRU(2, reset_after=False)(y), L.TimeDistributed(L.Dense(2))(y), h])


def free() -> Model:
    return Sequential([L.Input((None, None, 3)), L.Conv2D(2, 3), L.GlobalMaxPooling2D()])


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("make", [operators, nested, shared, several, recurrent])
def test_graphs(make, suffix, tmp_path):
    model = make()
    randomize(model, 0)
    check(model, tmp_path / f"model{suffix}", feed(model))


def test_free_sides(tmp_path):
    check(free(), tmp_path / "model.keras", np.ones((1, 7, 5, 3), np.float32))


@settings(max_examples=25)
@given(nets())
def test_random_nets(tmp_path_factory, model):
    check(model, tmp_path_factory.mktemp("net") / "model.keras", images())


def test_weight_files(tmp_path):
    model = nested()
    randomize(model, 0)
    twin = keras.models.model_from_json(json.dumps(json.loads(model.to_json())))
    for name in ("w.weights.h5", "w.h5"):
        model.save_weights(tmp_path / name)
        twin.set_weights([np.zeros_like(w) for w in twin.get_weights()])
        twin.load_weights(tmp_path / name)
        for a, b in zip(twin.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_configs_of_keras_are_understood():
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(4, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(0.1))(x)
    y = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(y)) * np.array([1.0, 2.0, 3.0])
    theirs = keras.Model(x, keras.layers.Softmax()(y + 1))
    ours = model_from_json(theirs.to_json())
    ours.set_weights(theirs.get_weights())
    assert_close(ours.predict(images_of(8)), theirs.predict(images_of(8), verbose=0))


def images_of(side: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, side, side, 3)).astype(np.float32)


def test_training_state_of_layers_survives(tmp_path):
    model = nested()
    model.save(tmp_path / "m.keras")
    theirs = keras.models.load_model(tmp_path / "m.keras", compile=False)
    assert [w.shape for w in theirs.trainable_weights] == [w.shape for w in model.trainable_weights]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_how_a_model_was_compiled(suffix, tmp_path):
    inputs = L.Input((4, 4, 1))
    model = Model(inputs, L.Dense(3, activation="softmax", name="out")(L.Flatten()(inputs)))
    rate = schedules.CosineDecay(0.1, 100)
    smooth = losses.CategoricalCrossentropy(label_smoothing=0.1)
    x, y = np.random.default_rng(0).random((12, 4, 4, 1), np.float32), np.eye(3, dtype=np.float32)[np.arange(12) % 3]
    for optimizer, loss in ((optimizers.SGD(rate, momentum=0.9), smooth), (optimizers.AdamW(clipnorm=1.0), "mse")):
        model.compile(optimizer, loss, ["accuracy"])
        model.save(tmp_path / f"m{suffix}")
        theirs = keras.models.load_model(tmp_path / f"m{suffix}")
        expected = model.evaluate(x, y, verbose=0)
        np.testing.assert_allclose(theirs.evaluate(x, y, verbose=0), expected, rtol=1e-6)
        theirs.save(tmp_path / f"back{suffix}")
        back = load_model(tmp_path / f"back{suffix}")
        assert type(back.optimizer) is type(optimizer)
        np.testing.assert_allclose(back.evaluate(x, y, verbose=0), expected, rtol=1e-6)


@pytest.mark.parametrize("task", ["predict", "train"])
def test_a_network_that_keras_is_told_of_is_the_same(task, tmp_path):
    network = networks.write("mobilenetv2", 96, tmp_path, classes=10)
    with engines.running(["keras"], sys.executable, 1) as (own, theirs):
        if task == "predict":
            assert engines.errors_of([own, theirs], task, network, 2)["keras"] <= 1e-3
        else:
            losses = [engine.ask(task, network, 2)["loss"] for engine in (own, theirs)]
            assert losses[0] == pytest.approx(losses[1], rel=1e-3)
