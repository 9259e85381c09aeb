"""Activations that training does within the operation before them: which, and that no bit changes."""

from unittest import mock

import numpy as np
import pytest

from minicnn import layers as L
from minicnn import optimizers
from minicnn.autograd import Tensor
from minicnn.models import Model
from minicnn.models.features import SplitProgram
from minicnn.models.joining import join_activations

pytestmark = pytest.mark.numpy_only
SHAPE = (5, 6, 3)


class Louder(L.BatchNormalization):
    """One of a user's own."""


def joined(model: Model) -> list[str | None]:
    """The activations of the calls of normalisations and sums, as training makes them."""
    calls = join_activations(model.program).calls
    return [call.activation for call in calls if isinstance(call.layer, L.BatchNormalization | L.Add)]


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (L.Activation("relu"), "relu"),
        (L.Activation("relu6"), "relu6"),
        (L.ReLU(), "relu"),
        (L.ReLU(6.0), "relu6"),
        (L.ReLU(5.0), None),
        (L.ReLU(negative_slope=0.1), None),
        (L.ReLU(threshold=0.5), None),
        (L.Activation("swish"), None),
        (L.Activation(L.ReLU()), None),
        (type("Own", (L.ReLU,), {})(), None),
    ],
)
def test_what_is_a_relu_and_nothing_else_is_joined(activation, name):
    x = L.Input(SHAPE)
    y = activation(L.BatchNormalization()(x))
    program = Model(x, y).program
    assert joined(Model(x, y)) == [name]
    assert len(join_activations(program).calls) == len(program.calls) - (name is not None)
    assert len(program.calls) == 2  # which stays as it was


def test_sums_of_two_are_joined_and_others_not():
    x = L.Input(SHAPE)
    assert joined(Model(x, L.ReLU()(L.Add()([x, x])))) == ["relu"]
    assert joined(Model(x, L.ReLU()(L.Add()([x, x, x])))) == [None]


def test_a_value_that_others_need_is_left():
    x = L.Input(SHAPE)
    y = L.BatchNormalization()(x)
    z = L.ReLU()(y)
    assert joined(Model(x, [y, z])) == [None]
    assert joined(Model(x, L.Concatenate()([y, z]))) == [None]
    assert joined(Model(x, L.Concatenate()([z, z]))) == ["relu"]
    assert joined(Model(x, L.ReLU()(Louder()(x)))) == [None]


def network(axis: int) -> Model:
    """Normalisations with and without gamma and beta, a frozen one, one in inference mode, sums and a mask."""
    x = L.Input(SHAPE)
    y = L.Conv2D(6, 3, padding="same")(x)
    y = L.ReLU()(L.BatchNormalization(axis, name="frozen")(y))
    y = L.ReLU(6.0)(L.BatchNormalization(axis, scale=False, gamma_initializer="zeros")(y))
    z = L.Activation("relu")(L.BatchNormalization(axis, center=False)(L.Conv2D(6, 3, padding="same")(y)))
    z = L.BatchNormalization(axis)(z, training=False)
    z = L.Activation("relu6")(L.Add()([y, L.ReLU()(z)]))
    model = Model(x, L.Dense(3, activation="softmax")(L.Flatten()(z)))
    rng = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.3, 1.5, w.shape) - (len(w.shape) > 1) for w in layer.get_weights()])
    model.get_layer("frozen").trainable = False
    return model


@pytest.mark.parametrize("axis", [-1, 1])
def test_training_gives_the_same_weights_either_way(axis):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((8, *SHAPE)).astype(np.float32), rng.integers(0, 3, 8)

    def trained() -> list[np.ndarray]:
        model = network(axis)
        model.compile(optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
        for frozen in (True, False):  # flags count at every step
            model.get_layer("frozen").trainable = not frozen
            model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    with mock.patch("minicnn.models.features.join_activations", lambda program: program):
        apart = trained()
    for weight, other in zip(trained(), apart):
        np.testing.assert_array_equal(weight, other)


def test_training_runs_the_joined_calls_and_prediction_the_rest():
    model = network(-1)
    split = SplitProgram(model.program, [SHAPE], [np.dtype(np.float32)])
    assert sum(call.activation is not None for call in split.joined.calls) == 5
    assert not any(call.activation for call in split.rest.calls)


def test_a_mask_goes_through():
    x = L.Input((4, 3))
    y = L.ReLU()(L.BatchNormalization()(L.Masking()(x)))
    model = Model(x, y)
    values = np.random.default_rng(0).standard_normal((2, 4, 3), np.float32)
    values[:, 2:] = 0
    split = SplitProgram(model.program, [(4, 3)], [np.dtype(np.float32)])
    (output,) = split.forward([values], training=True)
    (apart,) = split.rest.run({split.rest.inputs[0]: Tensor(values)}, training=True)
    np.testing.assert_array_equal(output.numpy(), apart.numpy())
    assert [call.activation for call in split.joined.calls] == [None, "relu"]
    np.testing.assert_array_equal(output.mask.numpy(), [[1, 1, 0, 0]] * 2)
