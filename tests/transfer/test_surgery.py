"""Cutting nets: the parts compute what the whole computes, and train what the whole trains."""

import numpy as np
import pytest
from transfer_cases import SIDE, small_net

from minicnn.errors import UnsupportedError
from minicnn.layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input, Reshape, Softmax
from minicnn.models import Model, Sequential
from minicnn.transfer import freeze, unfreeze
from minicnn.transfer.surgery import split_where_training_begins, without_head

pytestmark = pytest.mark.numpy_only

X = np.random.default_rng(0).normal(size=(3, SIDE, SIDE, 3)).astype(np.float32)


def test_a_dense_classifier_is_cut_off():
    model = small_net()
    features = without_head(model)
    assert features.outputs[0].shape == (None, 8)
    np.testing.assert_array_equal(features.predict(X), Model(model.inputs, model.get_layer("pool").output).predict(X))


def test_a_hidden_dense_layer_stays():
    model = Sequential([Input((8, 8, 3)), Flatten(), Dense(5, activation="relu"), Dense(2), Softmax()])
    assert without_head(model).outputs[0].shape == (None, 5)


def test_a_pointwise_classifier_before_pooling_is_cut_off_and_its_map_pooled():
    model = Sequential(
        [Input((8, 8, 3)), Conv2D(6, 3, name="body"), Conv2D(4, 1, name="top"), GlobalAveragePooling2D(), Softmax()]
    )
    features = without_head(model)
    assert [layer.name for layer in features.layers if layer.weights] == ["body"]
    assert features.outputs[0].shape == (None, 6)


def test_a_pointwise_classifier_after_pooling_is_cut_off():
    layers = [Input((8, 8, 3)), Conv2D(6, 3), GlobalAveragePooling2D(keepdims=True), Conv2D(4, 1), Reshape((4,))]
    assert without_head(Sequential(layers)).outputs[0].shape == (None, 6)


def test_a_net_without_classifier_keeps_all_and_is_pooled():
    model = Sequential([Input((8, 8, 3)), Conv2D(6, 3)])
    features = without_head(model)
    x = X[:, :8, :8]
    np.testing.assert_allclose(features.predict(x), model.predict(x).mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)


def test_a_map_with_channels_first_is_pooled_over_its_pixels():
    first = {"data_format": "channels_first"}
    model = Sequential([Input((3, 8, 6)), Conv2D(5, 3, **first)])
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 6)).astype(np.float32)
    pooled = without_head(model).predict(x)
    np.testing.assert_allclose(pooled, model.predict(x).mean(axis=(2, 3)), rtol=1e-5, atol=1e-6)


def test_pooled_features_keep_their_convolution():
    model = Sequential([Input((8, 8, 3)), Conv2D(6, 3), GlobalAveragePooling2D()])
    assert without_head(model).outputs[0].shape == (None, 6)


def test_what_cannot_be_a_base_is_refused():
    maps = Sequential([Input((8, 8, 2)), Flatten(), Dense(2)])
    with pytest.raises(UnsupportedError, match=r"transfer needs pictures \(N,H,W,3\) or \(N,H,W,1\)"):
        without_head(maps)
    first, second = Input((8, 8, 3)), Input((8, 8, 3))
    with pytest.raises(UnsupportedError, match="2 inputs and 1 outputs"):
        without_head(Model([first, second], Dense(2)(Flatten()(first + second))))


@pytest.mark.parametrize(("start", "borders"), [("old_head", 1), ("conv2", 1), ("conv1", 1), ("add", 1)])
def test_prefix_and_tail_compute_what_the_whole_computes(start, borders):
    model = small_net()
    freeze(model)
    unfreeze(model, start)
    prefix, tail = split_where_training_begins(model)
    assert len(prefix.outputs) == borders
    np.testing.assert_allclose(tail.predict(prefix.predict(X)), model.predict(X), rtol=1e-5, atol=1e-6)


def test_a_shortcut_past_the_first_trainable_layer_makes_two_borders():
    model = small_net()
    freeze(model)
    model.get_layer("bn2").trainable = True
    prefix, tail = split_where_training_begins(model)
    assert len(prefix.outputs) == 2
    np.testing.assert_allclose(tail.predict(prefix.predict(X)), model.predict(X), rtol=1e-5, atol=1e-6)


def test_training_the_tail_trains_the_model_alone_from_there():
    model = small_net()
    freeze(model)
    unfreeze(model, "conv2")
    prefix, tail = split_where_training_begins(model)
    before = {layer.name: [w.tobytes() for w in layer.get_weights()] for layer in model.layers}
    tail.compile("sgd", "sparse_categorical_crossentropy")
    tail.fit(prefix.predict(X), np.arange(3), epochs=1, verbose=0)
    changed = {layer.name for layer in model.layers if [w.tobytes() for w in layer.get_weights()] != before[layer.name]}
    assert changed == {"conv2", "old_head"}


def test_a_layer_that_draws_at_random_is_trained_with_the_tail():
    model = Sequential([Input((8, 8, 3)), Conv2D(2, 3, name="c"), Dropout(0.5, name="drop"), Flatten(), Dense(2)])
    model.get_layer("c").trainable = False
    prefix, tail = split_where_training_begins(model)
    assert "drop" in [layer.name for layer in tail.layers]
    assert "drop" not in [layer.name for layer in prefix.layers]


@pytest.mark.parametrize("trainable", [True, False])
def test_a_model_that_begins_within_a_nested_one(trainable):
    a, x = Input((3,)), Input((3,))
    inner = Model(a, [Dense(2)(a), Dense(2)(a)])
    first, second = inner(x)
    model = Model([x, second], Dense(2)(first + second))
    inner.trainable = trainable
    prefix, tail = split_where_training_begins(model)
    data = [np.ones((2, 3), np.float32), np.full((2, 2), 9, np.float32)]
    np.testing.assert_allclose(tail.predict(prefix.predict(data)), model.predict(data), rtol=1e-5)
    assert len(tail.weights) == (6 if trainable else 2)
