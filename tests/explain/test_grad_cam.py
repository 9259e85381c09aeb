"""Grad-CAM: against TensorFlow, against class activation maps, for every way in which a model may end."""

import numpy as np
import pytest

from minicnn.errors import ArgumentError, ShapeError, UnsupportedError
from minicnn.explain import grad_cam
from minicnn.explain.grad_cam import find_maps
from minicnn.layers import (
    Activation,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
)
from minicnn.models import Model, Sequential, load_model
from minicnn.transfer.freeze import freeze
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only


def pictures(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def net(*head, data_format="channels_last", side=9):
    set_random_seed(1)
    shape = (side, side, 3) if data_format == "channels_last" else (3, side, side)
    convolution = Conv2D(5, 3, activation="relu", data_format=data_format, name="conv")
    return Sequential([Input(shape), convolution, *(head or [GlobalAveragePooling2D(data_format), softmax()])])


def softmax(classes=4):
    return Dense(classes, activation="softmax", bias_initializer="random_normal", name="head")


@pytest.mark.parametrize("name", ["nested", "binary"])
def test_the_maps_are_those_of_tensorflows_gradient_tape(name, golden):
    known = np.load(golden / "grad_cam.npz")
    model = load_model(golden / f"grad_cam_{name}.keras")
    for label, expected in enumerate(known[f"{name}_maps"]):
        found = grad_cam(model, known[f"{name}_x"], label)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())
    assert known[f"{name}_maps"].max() > 0


def test_with_a_dense_layer_on_the_mean_it_is_the_class_activation_map():
    """Zhou et al., "Learning deep features for discriminative localization", 2016, equation 2, over the places."""
    model, x = net(), pictures(2, 9, 9, 3)
    features = Model(model.inputs, model.get_layer("conv").output).predict(x)
    kernel = model.get_layer("head").get_weights()[0]
    for label in range(4):
        expected = np.maximum(features @ kernel[:, label], 0) / 49
        np.testing.assert_allclose(grad_cam(model, x, label), expected, rtol=1e-4, atol=1e-7)


def test_the_likeliest_class_is_explained_or_one_for_each_picture():
    model, x = net(), pictures(11, 9, 9, 3)
    kernel = model.get_layer("head").get_weights()[0] * 50
    features = Model(model.inputs, model.layers[1].output).predict(x)
    model.get_layer("head").set_weights([kernel, -features.mean(axis=0) @ kernel])
    labels = model.predict(x).argmax(axis=1)
    assert len(set(labels)) > 1
    found = grad_cam(model, x)
    np.testing.assert_array_equal(found, grad_cam(model, x, labels))
    one_by_one = [grad_cam(model, x[i : i + 1], int(label))[0] for i, label in enumerate(labels)]
    np.testing.assert_allclose(found, one_by_one, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([Dense(3, activation="softmax")], [Dense(3), Activation("softmax")]),
        ([Dense(3, activation="softmax")], [Dense(3)]),
        ([Dense(1, activation="sigmoid")], [Dense(1), Activation("sigmoid")]),
        ([Dense(3, activation="sigmoid")], [Dense(3)]),
    ],
)
def test_a_score_is_what_is_before_the_last_activation_however_that_is_written(first, second):
    a, b = (net(GlobalAveragePooling2D(), *head) for head in (first, second))
    b.set_weights(a.get_weights())
    x = pictures(2, 9, 9, 3)
    np.testing.assert_allclose(grad_cam(a, x, 0), grad_cam(b, x, 0), rtol=1e-5)


@pytest.mark.parametrize("head", [[Dense(2, activation="softmax")], [Dense(1, activation="sigmoid")]])
def test_a_model_that_is_quite_sure_still_has_a_map(head):
    model = net(GlobalAveragePooling2D(), *head)
    weights = model.get_weights()
    model.set_weights([*weights[:2], np.abs(weights[2]), weights[3] + [80.0, -80.0][: weights[3].size]])
    x = pictures(1, 9, 9, 3)
    assert model.predict(x)[0, 0] == 1
    assert grad_cam(model, x).max() > 0


def test_channels_may_come_first():
    last, first = net(), net(data_format="channels_first")
    first.set_weights(last.get_weights())
    x = pictures(2, 9, 9, 3)
    np.testing.assert_allclose(grad_cam(first, x.transpose(0, 3, 1, 2), 1), grad_cam(last, x, 1), rtol=1e-4)


def test_a_sequence_has_a_map_over_its_steps():
    model = Sequential([Input((7, 3)), Conv1D(4, 2), GlobalAveragePooling1D(), softmax()])
    assert grad_cam(model, pictures(2, 7, 3)).shape == (2, 6)


def test_a_layer_is_chosen_by_name():
    set_random_seed(0)
    model = Sequential(
        [Input((8, 8, 3)), Conv2D(4, 3, name="early"), MaxPooling2D(), Conv2D(4, 2, name="late"), Flatten(), softmax()]
    )
    x = pictures(1, 8, 8, 3)
    assert grad_cam(model, x).shape == (1, 2, 2)
    assert grad_cam(model, x, layer="early").shape == (1, 6, 6)
    with pytest.raises(ArgumentError, match="no layer 'earlier' with feature maps; some that have: early"):
        grad_cam(model, x, layer="earlier")


def test_weights_flags_and_gradients_are_left_alone():
    model, x = net(), pictures(1, 9, 9, 3)
    model.get_layer("conv").trainable = False
    before = [(weight.trainable, weight.version, weight.grad) for weight in model.weights]
    grad_cam(model, x)
    assert [(weight.trainable, weight.version, weight.grad) for weight in model.weights] == before
    freeze(model)
    expected = grad_cam(model, x)
    model.trainable = True
    np.testing.assert_array_equal(grad_cam(model, x), expected)


@pytest.mark.parametrize(
    ("name", "options", "layer"),
    [
        ("VGG16", {"input_shape": (64, 64, 3)}, "block5_conv3"),
        ("ResNet50", {"input_shape": (64, 64, 3)}, "conv5_block3_out"),
        ("MobileNet", {"input_shape": (64, 64, 3)}, "conv_pw_13_relu"),
        ("EfficientNetB0", {"input_shape": (64, 64, 3)}, "top_activation"),
        ("InceptionV3", {"input_shape": (139, 139, 3)}, "mixed10"),
        ("DenseNet121", {"input_shape": (64, 64, 3)}, "relu"),
    ],
)
def test_the_maps_of_known_networks_are_the_last_ones(name, options, layer):
    from minicnn import applications

    model = getattr(applications, name)(weights=None, include_top=False, pooling="avg", **options)
    assert find_maps(model, (1, *options["input_shape"])).layer == layer


def test_what_cannot_be_explained_is_refused():
    x = pictures(2, 9, 9, 3)
    dense = Sequential([Input((9, 9, 3)), Flatten(), softmax()])
    with pytest.raises(UnsupportedError, match="no convolution with a map of several places"):
        grad_cam(dense, x)
    with pytest.raises(UnsupportedError, match=r"outputs of shapes \(7, 7, 5\); explanations are for a classifier"):
        grad_cam(Sequential([Input((9, 9, 3)), Conv2D(5, 3)]), x)
    with pytest.raises(ArgumentError, match="the model has classes 0 to 3; classes is 4"):
        grad_cam(net(), x, 4)
    with pytest.raises(ShapeError, match=r"classes are one class number, or one for each of 2 samples; got \[0\]"):
        grad_cam(net(), x, [0])
    with pytest.raises(ShapeError, match="no samples"):
        grad_cam(net(), x[:0])
