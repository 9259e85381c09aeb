"""Graphs: Keras' order of layers, branches, shared layers, nested models, and graphs that cannot be."""

import json
import time
from typing import Any

import numpy as np
import pytest

from minicnn import applications
from minicnn import layers as L
from minicnn.errors import GraphError, ShapeError
from minicnn.models import Model, Sequential, load_model

pytestmark = pytest.mark.numpy_only


@pytest.fixture(scope="module")
def keras(golden) -> dict[str, Any]:
    return json.loads((golden / "keras_facts.json").read_text())


def test_random_graphs_have_keras_order(keras):
    for graph in keras["graphs"]:
        tensors = {name: L.Input((4,), name=name) for name in graph["inputs"]}
        made: dict[str, L.Layer] = {}
        for step, sources in graph["steps"]:
            name = step.partition("@")[0]
            layer = made.setdefault(name, L.Add(name=name) if name.startswith("add") else L.Dense(4, name=name))
            arguments = [tensors[source] for source in sources]
            tensors[step] = layer(arguments if name.startswith("add") else arguments[0])
        model = Model([tensors[name] for name in graph["inputs"]], [tensors[name] for name in graph["outputs"]])
        assert [layer.name for layer in model.layers] == graph["layers"]


@pytest.mark.parametrize("name", ["VGG16", "VGG19", "ResNet50", "MobileNet", "MobileNetV2"])
def test_architectures_have_keras_order(keras, name):
    model = getattr(applications, name)(weights=None)
    found = [(layer.name, type(layer).__name__) for layer in model.layers]
    expected = [tuple(item) for item in keras["layers"][name]]
    automatic = {"InputLayer", "GlobalAveragePooling2D"} | ({"Dropout"} if name == "MobileNet" else set())
    assert [kind for _, kind in found] == [kind for _, kind in expected]
    assert [n for n, kind in found if kind not in automatic] == [n for n, kind in expected if kind not in automatic]


X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


def dense(model: Any, name: str, x: np.ndarray) -> np.ndarray:
    kernel, bias = model.get_layer(name).get_weights()
    return x @ kernel + bias


def test_branches():
    x = L.Input((4,))
    a, b = L.Dense(3, name="a")(x), L.Dense(3, name="b")(x)
    model = Model(x, L.Add()([a, b]))
    np.testing.assert_allclose(model.predict(X), dense(model, "a", X) + dense(model, "b", X), rtol=1e-5)


def test_a_shared_layer_has_one_set_of_weights_and_adds_up_gradients():
    layer, x, y = L.Dense(4, name="shared"), L.Input((4,)), L.Input((4,))
    model = Model([x, y], layer(layer(x)) + layer(y))
    assert len(model.weights) == 2
    assert len(model.layers) == 3
    np.testing.assert_allclose(
        model.predict([X, 2 * X]),
        dense(model, "shared", dense(model, "shared", X)) + dense(model, "shared", 2 * X),
        rtol=1e-4,
        atol=1e-5,
    )
    model([X, X], training=True).sum().backward()
    kernel = layer.get_weights()[0]
    np.testing.assert_allclose(layer.bias.grad.numpy(), 3 * (1 + kernel.sum(1)) + 3, rtol=1e-4)


def test_several_inputs_and_outputs():
    x, y = L.Input((4,), name="x"), L.Input((2,), name="y")
    joined = L.Concatenate()([x, y])
    model = Model(inputs=[x, y], outputs=[L.Dense(3, name="p")(joined), L.Dense(1, name="q")(joined)])
    p, q = model.predict([X, X[:, :2]])
    assert (p.shape, q.shape) == ((3, 3), (3, 1))
    np.testing.assert_allclose(q, dense(model, "q", np.concatenate([X, X[:, :2]], 1)), rtol=1e-5, atol=1e-6)
    assert model.input_shape == [(None, 4), (None, 2)]
    assert model.output_shape == [(None, 3), (None, 1)]
    assert [tensor.shape for tensor in model.outputs] == [(None, 3), (None, 1)]
    assert Model({"x": x, "y": y}, model.outputs).predict([X, X[:, :2]])[1].shape == (3, 1)


def test_a_part_of_a_model_shares_its_weights():
    model = Sequential([L.Input((4,)), L.Dense(3, activation="relu", name="a"), L.Dense(2, name="b")])
    part = Model(model.inputs, model.get_layer("a").output)
    np.testing.assert_allclose(part.predict(X), np.maximum(dense(model, "a", X), 0), rtol=1e-5)
    part.layers[1].set_weights([np.zeros((4, 3)), np.ones(3)])
    np.testing.assert_allclose(model.predict(X), np.tile(dense(model, "b", np.ones((1, 3))), (3, 1)), rtol=1e-5)


def test_from_an_inner_tensor_onwards():
    x = L.Input((4,))
    middle = L.Dense(3, name="a")(x)
    whole = Model(x, L.Dense(2, name="b")(middle))
    tail = Model(middle, whole.output)
    assert [layer.name for layer in tail.layers if layer.weights] in (["b"], ["a", "b"])
    hidden = np.ones((2, 3), np.float32)
    np.testing.assert_allclose(tail.predict(hidden), dense(whole, "b", hidden), rtol=1e-5)


def test_nested_models():
    inner = Sequential([L.Input((4,)), L.Dense(4, name="d"), L.BatchNormalization(name="n")], name="inner")
    x = L.Input((4,))
    middle = Model(x, inner(inner(x)), name="middle")
    y = L.Input((4,))
    outer = Model(y, L.Dense(2, name="end")(middle(y)))
    assert [layer.name for layer in outer.layers][1:] == ["middle", "end"]
    assert [weight.name for weight in outer.weights] == [
        "kernel",
        "bias",
        "gamma",
        "beta",
        "moving_mean",
        "moving_variance",
        "kernel",
        "bias",
    ]
    hidden = inner.predict(inner.predict(X))
    np.testing.assert_allclose(outer.predict(X), dense(outer, "end", hidden), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outer(X).numpy(), outer.predict(X), rtol=1e-4, atol=1e-5)


def test_a_nested_model_with_several_outputs():
    x = L.Input((4,))
    inner = Model(x, [L.Dense(3)(x), L.Dense(2)(x)])
    y = L.Input((4,))
    first, second = inner(y)
    assert (first.shape, second.shape) == ((None, 3), (None, 2))
    outer = Model(y, [L.ReLU()(second), first])
    a, b = inner.predict(X)
    found = outer.predict(X)
    np.testing.assert_allclose(found[0], np.maximum(b, 0), rtol=1e-6)
    np.testing.assert_allclose(found[1], a, rtol=1e-6)


def nested_outputs() -> tuple[Any, Any, Any, Model]:
    """An input, both outputs of a nested model for it, and that model."""
    a = L.Input((4,))
    inner = Model(a, [L.Dense(2)(a), L.Dense(2)(a)], name="inner")
    x = L.Input((4,))
    return (x, *inner(x), inner)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("saved", [None, ".keras", ".h5"])
def test_one_output_of_a_nested_model_as_input(index, saved, tmp_path):
    x, *ends, inner = nested_outputs()
    models = [Model([x, ends[index]], L.Add()(ends)), Model(ends[index], [L.ReLU()(ends[index]), ends[index]])]
    if saved:
        for model in models:
            model.save(tmp_path / f"{model.name}{saved}")
        models = [load_model(tmp_path / f"{model.name}{saved}") for model in models]
    given = np.float32([[5, -7]] * 3)
    np.testing.assert_allclose(models[0].predict([X, given]), given + inner.predict(X)[1 - index], rtol=1e-5)
    for found, expected in zip(models[1].predict(given), [np.maximum(given, 0), given], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not models[1].weights


def test_a_nested_model_of_free_size_passes_sizes_on():
    inner = Sequential([L.Input((None, None, 3)), L.Conv2D(2, 3, strides=2), L.MaxPooling2D()])
    x = L.Input((13, 9, 3))
    assert inner(x).shape == (None, 3, 2, 2)
    assert L.Flatten()(inner(x)).shape == (None, 12)


def test_an_input_of_an_unused_branch():
    x, spare = L.Input((4,)), L.Input((2,))
    model = Model([x, spare], L.Dense(3)(x))
    assert model.predict([X, np.ones((3, 2))]).shape == (3, 3)


X4, Y4 = L.Input((4,), name="x4"), L.Input((4,), name="y4")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Model(X4, L.Add()([X4, Y4])), GraphError, "input y4 is needed by the outputs"),
        (lambda: Model(X4, np.ones(3)), GraphError, "outputs must be what"),
        (lambda: Model([], L.Dense(1)(X4)), GraphError, "inputs must be what"),
        (lambda: Model(X4, L.Dense(1, name="d")(L.Dense(2, name="d")(X4))), GraphError, "two layers .* named d"),
        (lambda: Model([X4, Y4], X4 + Y4)(X4), ShapeError, "has 2 inputs, 1 was given$"),
        (lambda: Model([X4, Y4], X4 + Y4)(X), ShapeError, "has 2 inputs, 1 was given$"),
        (
            lambda: Model(X4, L.Dense(1)(X4), name="m")(L.Input((5,))),
            ShapeError,
            r"model m: input x4 .*\(4,\).*\(None, 5\)",
        ),
        (lambda: Model(X4, L.Dense(1)(X4), name="m")(X[:, :3]), ShapeError, r"model m: input x4 .*\(3, 3\)"),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def doubled(levels: int) -> Model:
    """A model in a model, called twice, and so on."""
    model = Model(x := L.Input((2,)), L.Dense(2)(x))
    for _ in range(levels):
        inner, x = model, L.Input((2,))
        model = Model(x, inner(inner(x)))
    return model


def test_models_in_models_that_double_are_refused_before_they_are_opened_up():
    assert doubled(5).count_params() == 6
    with pytest.raises(GraphError, match="calls of layers"):
        doubled(40)


def test_a_layer_of_very_many_inputs_is_walked_once():
    x = L.Input((2,))
    begin = time.process_time()
    assert len(Model(x, L.Add()([x] * 10_000)).layers) == 2
    assert time.process_time() - begin < 5
