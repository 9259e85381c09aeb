"""Prediction plans of networks that normalise before they convolve, and join what they have made."""

import numpy as np
import pytest
from random_nets import images, plan_of, randomize

from minicnn import layers as L
from minicnn import ops
from minicnn.autograd import no_grad
from minicnn.models import Model
from minicnn.ops.shape import ZeroPadding2D


def assert_as_on_the_tape(model: Model, x: np.ndarray) -> None:
    with no_grad():
        expected = model(x, training=False).numpy()
    np.testing.assert_allclose(model.predict(x), expected, rtol=0, atol=2e-5 * max(1, np.abs(expected).max()))


def test_what_is_pooled_may_be_joined_of_parts_that_are_not_negative():
    for activations, padded in ((("relu", "relu6"), False), (("relu", None), True)):
        x = L.Input((6, 5, 3))
        parts = [L.Conv2D(2, 3, activation=name)(x) for name in activations]
        joined = L.MaxPooling2D(2, 1)(L.Concatenate()(parts))
        model = Model(x, L.MaxPooling2D(3, 2)(L.ZeroPadding2D(((0, 1), (0, 1)))(joined)))
        randomize(model, 0)
        assert (ZeroPadding2D in [item.function for item in plan_of(model).instructions]) == padded
        assert_as_on_the_tape(model, images())


class Finished(L.BatchNormalization):
    """A normalisation, and a sum, that end with an activation by themselves."""

    def call(self, x, training, activation="relu"):
        y = super().call(x, training, activation)
        return ops.add(y, super().call(x, training), "relu6")


@pytest.mark.parametrize("convolved", [False, True])
def test_operations_that_end_with_an_activation_keep_it(convolved):
    x = L.Input((6, 5, 3))
    model = Model(x, Finished()(L.Conv2D(4, 3)(x) if convolved else x))
    randomize(model, 0)
    assert_as_on_the_tape(model, images())
    model = Model(x, L.Conv2D(2, 1)(OnlyNorm()(L.Conv2D(4, 3)(x) if convolved else x)))
    randomize(model, 0)
    assert_as_on_the_tape(model, images())


class OnlyNorm(L.BatchNormalization):
    """A normalisation that ends with an activation by itself."""

    def call(self, x, training, activation="relu"):
        return super().call(x, training, activation)


def preactivated() -> Model:
    x = L.Input((6, 5, 3))
    y = L.Conv2D(4, 3, padding="same")(x)
    for filters in (2, 3):
        new = L.Conv2D(filters, 3, padding="same")(L.ReLU()(L.BatchNormalization()(y)))
        y = L.Concatenate()([y, new])
    model = Model(x, L.ReLU()(L.BatchNormalization()(y)))
    randomize(model, 4)
    return model


@pytest.mark.parametrize("count", [1, 3])
def test_normalisations_before_convolutions_are_captured_with_them(count):
    pytest.importorskip("numba")
    model = preactivated()
    plan = plan_of(model)
    plan.run([images(count)])
    (stages,) = plan._stages[count]
    assert len(stages.rest.steps) == 1  # nothing runs from Python in between


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_a_change_of_a_normalisation_that_stands_alone_counts_at_once(position):
    model = preactivated()
    norm = next(layer for layer in model.layers if isinstance(layer, L.BatchNormalization))
    before, weights = model.predict(images()), norm.get_weights()
    weights[position] = weights[position] + 0.5
    norm.set_weights(weights)
    after = model.predict(images())
    assert (after != before).any()
    assert_as_on_the_tape(model, images())
