"""What plans make of numbers for each channel, of groups of one channel, and of gates and layer normalisations."""

from typing import Any

import numpy as np
import pytest
from random_nets import images, plan_of, randomize

from minicnn import kernels
from minicnn import layers as L
from minicnn.autograd import no_grad
from minicnn.autograd.arithmetic import Add, Multiply
from minicnn.models import Model, Sequential
from minicnn.ops.conv import Conv2D, Conv2DTranspose, DepthwiseConv2D
from minicnn.ops.dense import Dense
from minicnn.ops.pool import GlobalAvgPool2D
from minicnn.ops.shape import SampleReshape

pytestmark = pytest.mark.numpy_only


def built(*row: L.Layer) -> Sequential:
    model = Sequential([L.Input((6, 5, 3)), *row])
    randomize(model, 0)
    return model


def functions(model: Model) -> list[type]:
    return [item.function for item in plan_of(model).instructions]


def check(model: Any, count: int = 3) -> None:
    """The plan computes what the layers do."""
    x = images(count)
    with no_grad():
        expected = model(x, training=False).numpy()
    np.testing.assert_allclose(model.predict(x), expected, rtol=0, atol=2e-5 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ([L.Dense(4), L.LayerScale(0.5, 4)], [Conv2D]),
        ([L.Flatten(), L.Dense(4), L.LayerScale(0.5, 4)], [SampleReshape, Dense]),
        ([L.Conv2D(4, 3), L.BatchNormalization(), L.LayerScale(0.5, 4), L.Rescaling(2.0, 1.0)], [Conv2D]),
        ([L.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), L.Rescaling(2.0, [1.0] * 6)], [DepthwiseConv2D]),
        ([L.Conv2DTranspose(4, 3), L.LayerScale(0.5, 4), L.ReLU()], [Conv2DTranspose]),
        ([L.Conv2D(4, 3, activation="relu"), L.LayerScale(0.5, 4)], [Conv2D, Multiply]),
        ([L.Conv2D(6, 3, groups=3), L.BatchNormalization(), L.ReLU()], [DepthwiseConv2D]),
        ([L.Conv2D(3, (3, 2), groups=3, padding="same"), L.Activation("gelu")], [DepthwiseConv2D]),
    ],
)
def test_what_becomes_part_of_the_weights(row, left):
    model = built(*row)
    assert functions(model) == left
    check(model)


def test_dense_layers_on_images_are_convolutions():
    pytest.importorskip("numba")
    model = built(L.Dense(8, activation="relu"), L.Dense(3), L.GlobalAveragePooling2D(), L.Dense(2))
    assert functions(model) == [Conv2D, Conv2D, GlobalAvgPool2D, Dense]
    check(model)
    for storage, rung in (("float32", "v1_direct"), ("bfloat16", "v3_stream")):
        model.dense_storage = storage
        with kernels.use("dense", rung=rung), kernels.record() as calls:
            model.predict(images())
        assert [call for call in calls if call[0] == "dense"] == [("dense", "forward", rung)] * 3


def test_a_new_scale_counts_at_once():
    model = built(L.Dense(4), L.LayerScale(0.5, 4))
    before = model.predict(images())
    model.layers[-1].set_weights([2 * model.layers[-1].get_weights()[0]])
    np.testing.assert_allclose(model.predict(images()), 2 * before, rtol=1e-6)


def test_numbers_that_differ_along_the_image_are_not_folded():
    x = L.Input((6, 5, 3))
    column = np.arange(6, dtype=np.float32).reshape(6, 1, 1)
    model = Model(x, L.Conv2D(3, 1)(x) * column + column)
    randomize(model, 0)
    assert functions(model) == [Conv2D, Multiply, Add]
    check(model)


def test_weights_of_one_number():
    model = built(L.Normalization(axis=None), L.Normalization(axis=None, mean=2.0, variance=4.0, invert=True))
    check(model)


@pytest.mark.parametrize("count", [1, 3])
def test_gates_and_layer_normalisations_run_without_python_in_between(count):
    pytest.importorskip("numba")
    x = L.Input((6, 5, 3))
    y = L.LayerNormalization()(L.Conv2D(6, 3, padding="same", activation="swish")(x))
    gate = L.Reshape((1, 1, 6))(L.GlobalAveragePooling2D()(y))
    gate = L.ReLU(6.0)(L.Conv2D(6, 1)(gate) + 3.0) * (1 / 6)
    model = Model(x, L.Dense(2)(L.Multiply()([y, gate]) + y))
    randomize(model, 0)
    check(model, count)
    plan = plan_of(model)
    plan.run([images(count)])
    (stages,) = plan._stages[count]
    assert len(stages.rest.steps) == 1
