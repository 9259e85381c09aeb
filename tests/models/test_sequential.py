"""Sequential: adding, taking away, and learning its shape."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from minicnn.data import ArrayDataset
from minicnn.errors import ArgumentError, GraphError, MinicnnError, ShapeError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input, InputLayer, RandomFlip
from minicnn.models import Model, Sequential

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
X = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)


@pytest.mark.parametrize(
    "row",
    [
        [Input((4,)), Dense(3)],
        [InputLayer((4,)), Dense(3)],
        [InputLayer(input_shape=(4,)), Dense(3)],
        [Dense(3, input_shape=(4,))],
        [Sequential([Input((4,)), Dense(3)])],
    ],
)
def test_every_way_to_give_the_shape(row):
    model = Sequential(row)
    assert model.output_shape == (None, 3)
    assert model.count_params() == 15
    assert model.predict(X).shape == (5, 3)


@pytest.mark.parametrize(
    "way",
    [
        "predict",
        "list",
        "call",
        "symbol",
        "nested",
        "fit",
        "named",
        "batches",
        "generator",
        "dataset",
        "evaluate",
        "train_on_batch",
        "build",
    ],
)
def test_the_shape_comes_from_the_first_data(way):
    model = Sequential([Dense(3), Dense(2)])
    model.compile("sgd", "mse")
    y = np.zeros((5, 2), np.float32)
    {
        "predict": lambda: model.predict(X),
        "list": lambda: model.predict(X.tolist()),
        "call": lambda: model(X),
        "symbol": lambda: model(Input((4,))),
        "nested": lambda: Sequential([Input((4,)), model, Dense(1)]),
        "fit": lambda: model.fit(X, y, verbose=0),
        "named": lambda: model.fit(X, {model.layers[-1].name: y}, verbose=0),
        "batches": lambda: model.fit([(X, y), (X, y)], verbose=0),
        "generator": lambda: model.fit(iter([(X[:0], y[:0]), (X, y)]), verbose=0, steps_per_epoch=1),
        "dataset": lambda: model.fit(ArrayDataset(X, y), verbose=0),
        "evaluate": lambda: model.evaluate(X, y),
        "train_on_batch": lambda: model.train_on_batch(X, y),
        "build": lambda: model.build((None, 4)),
    }[way]()
    assert model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
    assert model.input_shape == (None, 4)


def test_augmentation_as_a_sequential_without_an_input():
    augmentation = Sequential([RandomFlip("horizontal")])
    x = Input((8, 8, 3))
    model = Model(x, Flatten()(augmentation(x)))
    images = np.random.default_rng(1).random((2, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(model.predict(images), images.reshape(2, -1))


def test_threads_that_predict_first_find_one_model():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            model = Sequential([Dense(4) for _ in range(6)])
            barrier = Barrier(4)

            def predict(_, model=model, barrier=barrier):
                barrier.wait()
                return model.predict(X)

            with ThreadPoolExecutor(4) as pool:
                for found in pool.map(predict, range(4)):
                    np.testing.assert_array_equal(found, model.predict(X))
    finally:
        sys.setswitchinterval(interval)


def test_add_and_pop():
    model = Sequential(name="row")
    model.add(Input((4,)))
    model.add(Dense(8, name="a"))
    model.add(Dense(3, name="b"))
    before = model.predict(X)
    assert model.pop().name == "b"
    assert model.output_shape == (None, 8)
    hidden = model.predict(X)
    model.add(Dense(2, name="c"))
    assert model.predict(X).shape == (5, 2)
    assert [layer.name for layer in model.layers] == ["a", "c"]
    kernel, bias = model.get_layer("c").get_weights()
    np.testing.assert_allclose(model.predict(X), hidden @ kernel + bias, rtol=1e-5, atol=1e-6)
    assert before.shape == (5, 3)


@pytest.mark.parametrize(
    "change", [Sequential.pop, lambda base: base.add(Dense(4)), lambda base: base.add(Input((4,)))]
)
def test_what_other_models_use_is_not_changed(change):
    base = Sequential([Input((4,)), Dense(4), Dense(4)], name="base")
    outer = Sequential([base, Dense(2)])
    before, layers = outer.predict(X), base.layers
    with pytest.raises(GraphError, match="Sequential base is used by other models, so its layers cannot change"):
        change(base)
    assert base.layers == layers
    np.testing.assert_array_equal(outer.predict(X), before)
    assert Sequential([Input((4,)), *layers[:-1]]).predict(X).shape == (5, 4)


def test_weights_stay_when_layers_come_and_go():
    model = Sequential([Input((4,)), Dense(8), Dense(3)])
    kept = model.layers[0].get_weights()
    model.pop()
    model.add(Dense(7))
    model.predict(X)
    for a, b in zip(model.layers[0].get_weights(), kept):
        np.testing.assert_array_equal(a, b)


def test_a_frozen_container_freezes_what_is_added():
    model = Sequential([Input((4,)), Dense(3), BatchNormalization()], trainable=False)
    model.add(Dense(2))
    assert model.trainable_weights == []
    model.trainable = True
    assert len(model.trainable_weights) == 6


def test_the_classic_head_on_a_base():
    base = Sequential([Input((8, 8, 3)), Conv2D(2, 3), BatchNormalization()], name="base")
    base.trainable = False
    model = Sequential([base, Flatten(), Dense(3, activation="softmax")])
    assert model.predict(np.zeros((2, 8, 8, 3))).shape == (2, 3)
    assert [weight.shape for weight in model.trainable_weights] == [(72, 3), (3,)]


def test_the_output_is_that_of_the_first_call_in_another_model():
    base = Sequential([Input((4,)), Dense(3)])
    own = base.output
    assert Model(base.input, own).predict(X).shape == (5, 3)
    x = Input((4,))
    model = Model(x, Dense(2)(base(x)))
    assert base.input is x
    np.testing.assert_array_equal(Model(x, base.output).predict(X), base.predict(X))
    assert base.outputs == [own]
    assert Model(model.inputs, model.get_layer(base.name).output).output_shape == (None, 3)


def test_as_a_functional_model():
    model = Sequential([Input((4,)), Dense(3, name="a"), Dense(2, name="b")])
    again = Model(model.input, model.get_layer("b").output)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_without_layers_it_is_the_identity():
    np.testing.assert_array_equal(Sequential([Input((4,))]).predict(X), X)


def pop_empty():
    Sequential().pop()


def late_input():
    Sequential([Dense(3), Input((4,))])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (pop_empty, ArgumentError, "has no layers to pop"),
        (late_input, ArgumentError, "an Input can only come first"),
        (lambda: Sequential([Dense(3, name="a"), Dense(3, name="a")]), GraphError, "already is a layer named a"),
        (lambda: Sequential(["dense"]), ArgumentError, "'dense' is not a layer"),
        (
            lambda: Sequential([Dense(3)], name="s").summary(),
            GraphError,
            "Sequential s does not know its input's shape",
        ),
        (lambda: Sequential([Dense(3)]).inputs, GraphError, "does not know its input's shape"),
        (lambda: Sequential([Input((4, 4, 3)), Conv2D(2, 5, name="c")]), ShapeError, "layer c"),
        (lambda: Sequential([Dense(3), Dense(2)]).get_layer(index=2), ArgumentError, "no layer 2"),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert isinstance(caught.value, MinicnnError)
