"""softmax and its cross-entropy: agreement with Keras, extremes, NaN, refusals."""

import numpy as np
import pytest
from oracles import assert_golden, golden_ops

from minicnn.errors import DTypeError, ShapeError
from minicnn.kernels import softmax, softmax_crossentropy

RUNGS = ["reference", "v1_numpy", "v2_vector"]
CASES = [pair for pair in golden_ops("activation") if "softmax" in pair[0]["name"]]
LOSSES = [pair for pair in golden_ops("categorical_crossentropy") if pair[0]["from_logits"]]


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", ["reference", "v1_numpy"])
@pytest.mark.parametrize(("case", "arrays"), CASES, ids=lambda value: value.get("name", ""))
def test_float64_agrees_with_keras(case, arrays, rung):
    log = case["activation"] == "log_softmax"
    y = softmax.forward(arrays["x"], log, rung=rung)
    assert_golden(y, arrays["y"], case)
    assert_golden(softmax.backward(y, arrays["dy"], log, rung=rung), arrays["dx"], case)


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", ["reference", "v1_numpy"])
@pytest.mark.parametrize(("case", "arrays"), LOSSES, ids=lambda value: value.get("name", ""))
def test_float64_loss_agrees_with_keras(case, arrays, rung):
    smooth = case["label_smoothing"]
    x, targets = arrays["x"], arrays["target"] * (1 - smooth) + smooth / arrays["x"].shape[1]
    loss, p = softmax_crossentropy.forward(x, targets, rung=rung)
    assert_golden(loss.mean(), arrays["loss"], case)
    dloss = np.full(len(x), 1 / len(x))
    assert_golden(softmax_crossentropy.backward(p, targets, dloss, rung=rung), arrays["dx"], case)


@pytest.mark.parametrize("rung", RUNGS)
def test_logits_of_any_size_do_not_overflow(rung):
    x = np.array([[1e4, 0, -1e4], [-3e38, -3e38, -3e38], [88, 89, 90]], np.float32)
    y = softmax.forward(x, rung=rung)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(y[0], [1, 0, 0])
    assert np.isfinite(softmax.forward(x, log=True, rung=rung)).all()
    loss, _ = softmax_crossentropy.forward(x, np.eye(3, dtype=np.float32), rung=rung)
    np.testing.assert_allclose(loss, [0, np.log(3), np.log1p(np.exp(-1) + np.exp(-2))], rtol=1e-6)


@pytest.mark.parametrize("rung", RUNGS)
def test_minus_infinity_is_an_impossible_class(rung):
    x = np.array([[-np.inf, 0, 0]], np.float32)
    np.testing.assert_array_equal(softmax.forward(x, rung=rung), [[0, 0.5, 0.5]])
    np.testing.assert_array_equal(softmax.forward(x, log=True, rung=rung)[0, 0], -np.inf)
    loss, _ = softmax_crossentropy.forward(x, np.array([[0, 1, 0]], np.float32), rung=rung)
    np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1, 70])
def test_nan_and_infinity_spoil_their_row_alone(rung, bad, place):
    x = np.zeros((2, 71), np.float32)
    x[0, place] = bad
    y = softmax.forward(x, rung=rung)
    assert np.isnan(y[0, place])
    np.testing.assert_allclose(y[1], 1 / 71, rtol=1e-6)
    targets = np.full_like(x, 1 / 71)
    loss, _ = softmax_crossentropy.forward(x, targets, rung=rung)
    assert np.isnan(loss[0])
    assert np.isfinite(loss[1])
    dy = np.zeros_like(x)
    dy[0, place] = bad
    assert np.isnan(softmax.backward(targets, dy, rung=rung)[0]).all() or bad == np.inf
    assert np.isfinite(softmax.backward(targets, dy, rung=rung)[1]).all()


@pytest.mark.parametrize("rung", RUNGS)
def test_softmax_writes_in_place(rung):
    x = np.linspace(-3, 3, 20, dtype=np.float32).reshape(4, 5)
    expected = softmax.forward(x, rung=rung)
    assert softmax.forward(x, rung=rung, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_refusals():
    x = np.zeros((2, 3))
    with pytest.raises(ShapeError, match="K at least 1"):
        softmax.forward(np.zeros((2, 0)))
    with pytest.raises(ShapeError, match="one shape"):
        softmax.backward(x, np.zeros((3, 2)))
    with pytest.raises(ShapeError, match="logits and targets must be"):
        softmax_crossentropy.forward(x, np.zeros((2, 4)))
    with pytest.raises(ShapeError, match=r"must be \(N,K\)"):
        softmax_crossentropy.forward(np.zeros((2, 3, 4)), np.zeros((2, 3, 4)))
    with pytest.raises(ShapeError, match="dloss"):
        softmax_crossentropy.backward(x, x, np.zeros(3))
    with pytest.raises(DTypeError, match="targets int64"):
        softmax_crossentropy.forward(x, np.zeros((2, 3), np.int64))
