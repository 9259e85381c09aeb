"""Normalization: fixed statistics, those of data, and the way back."""

import numpy as np
import pytest

from minicnn.errors import ArgumentError, ShapeError
from minicnn.layers import Conv2D, Input, Normalization
from minicnn.models import Model, load_model

pytestmark = pytest.mark.numpy_only
X = np.random.default_rng(0).normal(3, 2, (7, 4, 5, 3)).astype(np.float32)


def test_each_channel_has_its_statistics():
    y = Normalization(mean=[1, 2, 3], variance=[4, 9, 16])(X).numpy()
    np.testing.assert_allclose(y, (X - [1, 2, 3]) / [2, 3, 4], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axis", [-1, 3, (1, 3), (3, 1), 2, None, ()])
@pytest.mark.parametrize("invert", [False, True])
def test_along_any_axes(axis, invert):
    kept = () if axis is None else tuple(sorted(a % 4 for a in np.atleast_1d(np.array(axis, int))))
    others = tuple(a for a in range(4) if a not in kept)
    layer = Normalization(axis=axis, invert=invert)
    layer.adapt(X)
    mean, deviation = X.mean(others, keepdims=True), X.std(others, keepdims=True)
    expected = X * deviation + mean if invert else (X - mean) / deviation
    np.testing.assert_allclose(layer(X).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert [weight.shape for weight in layer.weights] == [tuple(X.shape[a] for a in kept)] * 2 + [()]
    assert not layer.trainable_weights


@pytest.mark.parametrize("data", [X, [X[:3], X[3:4], X[4:]], ((X[i : i + 2], 0) for i in range(0, 7, 2))])
def test_data_may_come_in_batches_of_any_size(data):
    layer = Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(layer.weights[0].numpy(), X.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(layer.weights[1].numpy(), X.var((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("invert", [False, True])
def test_numbers_that_are_all_equal(invert):
    layer = Normalization(mean=[5.0], variance=[0.0], invert=invert)
    found = layer(np.array([[5.0], [6.0]], np.float32)).numpy()
    np.testing.assert_allclose(found, [[5], [5]] if invert else [[0], [1e7]], rtol=1e-5)


def test_a_model_sees_new_statistics_and_its_file_keeps_them(tmp_path):
    inputs = Input((4, 5, 3))
    layer = Normalization()
    model = Model(inputs, Conv2D(2, 3)(layer(inputs)))
    before = model.predict(X)
    layer.adapt(X)
    after = model.predict(X)
    assert not np.allclose(before, after)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        np.testing.assert_array_equal(load_model(tmp_path / name).predict(X), after)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Normalization(mean=1.0), ArgumentError, "mean and variance go together; they are 1.0 and None"),
        (lambda: Normalization(mean=[1, 2], variance=[1]), ArgumentError, "must have one shape"),
        (
            lambda: Normalization(mean=[1, 2], variance=[1, 1])(X),
            ShapeError,
            r"of shape \(2,\) do not fit inputs of size",
        ),
        (lambda: Normalization(axis="last"), ArgumentError, "axis must be a list or tuple; it is 'last'"),
        (lambda: Normalization(axis=4)(X), ShapeError, "have no axis 4"),
        (lambda: Normalization(axis=0)(X), ShapeError, r"a known size along axis \(0,\), which leaves out the batch"),
        (lambda: Normalization(axis=1)(Input((None, 3))), ShapeError, r"the input is \(None, None, 3\)"),
        (lambda: Normalization(mean=1.0, variance=1.0).adapt(X), ArgumentError, "there is nothing to adapt"),
        (lambda: Normalization().adapt([]), ArgumentError, "adapt needs data; there are none"),
        (lambda: Normalization().adapt([X, X[..., :2]]), ShapeError, "has weights for 3 channels"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
