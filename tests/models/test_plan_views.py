"""Plans of layers along one axis: views of weights are weights, and what follows a convolution becomes part of it."""

import numpy as np
import pytest
from random_nets import outputs, plan_of, randomize

from minicnn import layers as L
from minicnn.autograd import no_grad
from minicnn.models import Model, Sequential
from minicnn.ops.activation import Activation
from minicnn.ops.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from minicnn.ops.norm import BatchNormInfer
from minicnn.ops.shape import SampleReshape

pytestmark = pytest.mark.numpy_only


def functions(model: Model) -> list[type]:
    return [item.function for item in plan_of(model).instructions]


def assert_plan_equals_tape(model: Model, x: np.ndarray) -> None:
    with no_grad():
        expected = outputs(model(x, training=False))
    for found, wanted in zip(outputs(model.predict(x)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5 * max(1, np.abs(wanted).max()))


def sequence(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_a_convolution_along_one_axis_is_one_of_images_with_all_that_follows():
    model = Sequential(
        [
            L.Input((9, 3)),
            L.Conv1D(4, 3, padding="same"),
            L.BatchNormalization(),
            L.ReLU(),
            L.DepthwiseConv1D(3),
            L.ReLU(),
            L.Conv1DTranspose(2, 3),
        ]
    )
    randomize(model, 0)
    assert_plan_equals_tape(model, sequence(2, 9, 3))
    found = [function for function in functions(model) if function is not SampleReshape]
    assert found == [Conv2D, DepthwiseConv2D, Conv2DTranspose]


def test_new_weights_count_at_once():
    model = Sequential([L.Input((9, 3)), L.Conv1D(4, 3), L.BatchNormalization(), L.LayerNormalization([1, 2])])
    randomize(model, 0)
    x = sequence(2, 9, 3)
    for weight in model.weights:
        before = model.predict(x)
        weight.assign(weight.numpy() * 2 + 1)
        assert (model.predict(x) != before).any(), weight.name
        assert_plan_equals_tape(model, x)


def test_a_reshape_that_others_take_or_that_changes_the_channels_stays_where_it_is():
    x = L.Input((9, 3))
    y = L.Conv1D(4, 3)(x)
    model = Model(x, [y, L.ReLU()(y), L.BatchNormalization()(L.Reshape((14, 2))(L.Conv1D(4, 3)(x)))])
    randomize(model, 0)
    assert_plan_equals_tape(model, sequence(2, 9, 3))
    assert {Activation, BatchNormInfer} <= set(functions(model))
