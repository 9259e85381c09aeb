"""Where outputs have masks: losses, metrics and batch statistics of the steps that count are Keras 3's."""

import json
from typing import Any

import numpy as np
import pytest

from minicnn import Tensor, losses
from minicnn import layers as L
from minicnn.errors import ShapeError
from minicnn.models import Model, Sequential, model_from_config
from minicnn.optimizers import SGD

pytestmark = pytest.mark.numpy_only


@pytest.fixture(scope="module")
def recorded(golden) -> dict[str, Any]:
    with np.load(golden / "masked_training.npz") as file:
        arrays = dict(file)
    return {"arrays": arrays, "facts": json.loads(arrays.pop("facts").tobytes())}


@pytest.mark.parametrize("case", ["words", "values", "by_step", "yes_or_no", "one_hot", "two_outputs"])
def test_training_is_that_of_keras(recorded, case):
    def group(letter: str) -> list[np.ndarray]:
        names = [name for name in recorded["arrays"] if name.startswith(f"{case}/{letter}")]
        return [recorded["arrays"][name] for name in names]

    facts = recorded["facts"][case]
    model, (x,), y = model_from_config(facts["config"]), group("x"), group("y")
    model.set_weights(group("w"))
    model.compile(SGD(0.1), facts["loss"], facts["metrics"])
    np.testing.assert_allclose(model.train_on_batch(x, y), facts["step"], rtol=1e-4, atol=1e-6)
    back = x[::-1], [target[::-1] for target in y]
    options = {"epochs": 2, "shuffle": False, "validation_batch_size": 2, "verbose": 0}
    fitted = model.fit(x, y, 4, validation_data=back, **options).history
    assert fitted.keys() == facts["history"].keys()
    for name, values in facts["history"].items():
        np.testing.assert_allclose(fitted[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    for found, expected in zip(model.get_weights(), group("v"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    evaluated = model.evaluate(x, y, batch_size=2, return_dict=True)
    assert evaluated == pytest.approx(facts["evaluated"], rel=1e-4)


def test_prediction_by_the_statistics_of_its_batch():
    x = L.Input((3, 2))
    model = Model(x, L.BatchNormalization()(L.Masking()(x), training=True))
    data = np.array([[[1, 2], [0, 0], [3, 5]], [[0, 0], [7, 1], [0, 0]]], np.float32)
    kept = data[data.any(-1)]
    expected = (data - kept.mean(0)) / np.sqrt(kept.var(0) + 1e-3)
    np.testing.assert_allclose(model(data).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(data), expected, rtol=1e-5)


def test_a_sample_that_weighs_more_does_so_in_the_steps_that_count():
    x = np.array([[[1.0], [0.0]], [[2.0], [3.0]]], np.float32)
    model = Sequential([L.Input((2, 1)), L.Masking()])
    model.compile("sgd", "mse")
    assert model.evaluate(x, np.zeros_like(x), sample_weight=np.array([5.0, 1.0])) == pytest.approx((5 + 4 + 9) / 3)


def test_outputs_without_any_step_that_counts_cost_nothing_and_teach_nothing():
    x = np.zeros((3, 4, 2), np.float32)
    model = Sequential([L.Input((4, 2)), L.Masking(), L.BatchNormalization(), L.Dense(2)])
    model.compile(SGD(0.1), "mse", ["mse"])
    kernel, bias = model.layers[-1].get_weights()
    assert model.train_on_batch(x, np.ones_like(x)) == [0, 0]
    for now, before in zip(model.layers[-1].get_weights(), (kernel, bias)):
        np.testing.assert_array_equal(now, before)


def test_one_mask_of_two_outputs():
    """And outputs that are each other, of which prediction gives the arrays alone."""
    x = L.Input((3, 2))
    y = L.Masking()(x)
    model = Model(x, [y, L.Flatten()(y), L.Identity()(y)])
    model.compile("sgd", "mse")
    data = np.array([[[1, 2], [0, 0], [3, 4]]], np.float32)
    assert [array.shape for array in model.predict(data)] == [(1, 3, 2), (1, 6), (1, 3, 2)]
    found = model.evaluate(data, [data * 0, np.zeros((1, 6)), data * 0])
    np.testing.assert_allclose(found[1:], [30 / 4, 30 / 6, 30 / 4])


def test_a_mask_that_does_not_fit_the_losses():
    outputs = Tensor(np.ones((2, 3)))
    outputs.mask = Tensor(np.ones((2, 3)))
    with pytest.raises(ShapeError, match=r"losses of shape \(2,\) do not fit a mask of shape \(2, 3\)"):
        losses.MeanSquaredError()(np.ones((2, 3)), outputs)


def test_a_metric_that_gives_one_number_a_batch_cannot_be_masked():
    def whole(y_true, y_pred):
        return np.abs(y_true - y_pred).mean()

    model = Sequential([L.Input((3, 2)), L.Masking(), L.Dense(1)])
    model.compile("sgd", "mse", metrics=[whole])
    with pytest.raises(ShapeError, match="whole gives one number for a whole batch, whose samples or steps have"):
        model.evaluate(np.ones((4, 3, 2), np.float32), np.ones((4, 3, 1), np.float32))
