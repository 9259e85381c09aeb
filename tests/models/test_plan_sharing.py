"""Prediction plans compute once what a model asks for several times."""

import numpy as np
import pytest
from random_nets import images, outputs, plan_of, randomize

from minicnn import layers as L
from minicnn.autograd import no_grad
from minicnn.autograd.arithmetic import Add
from minicnn.models import Model
from minicnn.ops.activation import Activation
from minicnn.ops.conv import Conv2D
from minicnn.ops.pool import AvgPool2D, MaxPool2D

pytestmark = [pytest.mark.no_jit, pytest.mark.numpy_only]


def functions(model: Model) -> list[type]:
    return [item.function for item in plan_of(model).instructions]


def assert_as_on_the_tape(model: Model) -> None:
    with no_grad():
        expected = outputs(model(images(), training=False))
    for a, b in zip(outputs(model.predict(images())), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5 * max(1, np.abs(b).max()))


def test_equal_operations_on_one_value_run_once():
    x = L.Input((6, 5, 3))
    twice = L.Add()([L.AveragePooling2D(3, 1, "same")(x), L.AveragePooling2D(3, 1, "same")(x)])
    model = Model(x, [twice, L.MaxPooling2D()(L.ReLU()(x)), L.MaxPooling2D()(L.Activation("relu")(x))])
    assert functions(model) == [AvgPool2D, Add, Activation, MaxPool2D]
    assert_as_on_the_tape(model)
    first, second = plan_of(model).run([images()])[1:]
    np.testing.assert_array_equal(first, second)
    assert not np.shares_memory(first, second)


def test_what_differs_in_an_option_a_weight_or_an_input_does_not():
    x = L.Input((6, 5, 3))
    convolution = L.Conv2D(3, 3, padding="same")
    pools = [L.MaxPooling2D(2)(x), L.MaxPooling2D(2, padding="same")(x), L.AveragePooling2D(2)(x)]
    convolutions = [convolution(x), L.Conv2D(3, 3, padding="same")(x), convolution(convolution(x))]
    model = Model(x, pools + convolutions)
    randomize(model, 0)
    assert sorted(f.__name__ for f in functions(model)) == ["AvgPool2D", *["Conv2D"] * 3, "MaxPool2D", "MaxPool2D"]
    assert_as_on_the_tape(model)


def test_padding_is_not_shared_but_taken_in():
    x = L.Input((6, 5, 3))
    y = L.ReLU()(x)
    padded = [L.Conv2D(2, 3, strides=2)(L.ZeroPadding2D(1)(y)) for _ in range(2)]
    model = Model(x, L.Concatenate()(padded))
    randomize(model, 2)
    assert functions(model)[:-1] == [Activation, Conv2D, Conv2D]
    assert_as_on_the_tape(model)


def test_an_activation_that_several_branches_begin_with_joins_the_convolution_before_them():
    x = L.Input((6, 5, 3))
    y = L.BatchNormalization()(L.Conv2D(3, 3, padding="same")(x))
    model = Model(x, L.Concatenate()([L.Conv2D(2, size, padding="same")(L.ReLU()(y)) for size in (1, 3)]))
    randomize(model, 1)
    assert functions(model)[:3] == [Conv2D] * 3
    assert_as_on_the_tape(model)
