"""activation: agreement with Keras, corners, extremes, NaN, writing in place, refusals."""

import math

import numpy as np
import pytest
from oracles import assert_golden, golden_ops

from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.kernels import activation
from minicnn.kernels.activation.erfc import erfc

RUNGS = ["reference", "v1_numpy", "v2_vector"]
NAMES = sorted(activation.ACTIVATIONS)
CASES = [pair for pair in golden_ops("activation", "relu_layer") if "softmax" not in pair[0]["name"]]


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", ["reference", "v1_numpy"])
@pytest.mark.parametrize(("case", "arrays"), CASES, ids=lambda value: value.get("name", ""))
def test_float64_agrees_with_keras(case, arrays, rung):
    name = case.get("activation", "relu")
    keys = ("max_value", "negative_slope", "threshold")
    parameters = {key: case[key] for key in keys if key in case}
    y = activation.forward(arrays["x"], name, **parameters, rung=rung)
    assert_golden(y, arrays["y"], case)
    dx = activation.backward(arrays["x"], y, arrays["dy"], name, **parameters, rung=rung)
    assert_golden(dx, arrays["dx"], case)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize(
    ("name", "parameters", "x", "slope"),
    [
        ("relu", {}, 0, 0),
        ("relu6", {}, 0, 0),
        ("relu6", {}, 6, 0),
        ("leaky_relu", {}, 0, 0.2),
        ("relu", {"threshold": 0.5, "negative_slope": 0.25}, 0.5, 0.25),
        ("relu", {"max_value": 2.0}, 2, 0),
        ("elu", {"alpha": 0.5}, 0, 0.5),
        ("hard_sigmoid", {}, 3, 0),
        ("hard_sigmoid", {}, -3, 0),
        ("hard_sigmoid_keras2", {}, 2.5, 0),
        ("hard_sigmoid_keras2", {}, 2.4, 0.2),
        ("hard_swish", {}, 3, 1),
        ("hard_swish", {}, -3, 0),
    ],
)
def test_slope_at_a_corner(name, parameters, x, slope, rung):
    x = np.array([x], np.float32)
    y = activation.forward(x, name, **parameters, rung=rung)
    dx = activation.backward(x, y, np.ones_like(x), name, **parameters, rung=rung)
    assert dx == np.float32(slope)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", NAMES)
def test_nan_gives_nan(name, rung):
    x = np.array([np.nan, 1.0], np.float32)
    y = activation.forward(x, name, rung=rung)
    assert np.isnan(y[0])
    assert not np.isnan(y[1])
    dx = activation.backward(x, y, np.array([1.0, np.nan], np.float32), name, rung=rung)
    assert np.isnan(dx[1])


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("relu", (0, np.inf)),
        ("relu6", (0, 6)),
        ("leaky_relu", (-np.inf, np.inf)),
        ("elu", (-1, np.inf)),
        ("sigmoid", (0, 1)),
        ("hard_sigmoid", (0, 1)),
        ("tanh", (-1, 1)),
        ("softplus", (0, np.inf)),
        ("exponential", (0, np.inf)),
    ],
)
def test_limits_at_infinity(name, limits, rung):
    x = np.array([-np.inf, np.inf], np.float32)
    np.testing.assert_array_equal(activation.forward(x, name, rung=rung), np.array(limits, np.float32))


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"exponential"}))
def test_large_numbers_do_not_overflow(name, rung):
    x = np.array([-1e4, -100, -20, 0, 20, 100, 1e4], np.float32)
    y = activation.forward(x, name, rung=rung)
    assert np.isfinite(y).all()
    assert np.isfinite(activation.backward(x, y, np.ones_like(x), name, rung=rung)).all()


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", NAMES)
def test_writes_in_place(name, rung):
    x = np.linspace(-4, 4, 50, dtype=np.float32).reshape(5, 10)
    expected = activation.forward(x, name, rung=rung)
    dx = activation.backward(x, expected, x, name, rung=rung)
    dy = x.copy()
    assert activation.backward(x, expected, dy, name, rung=rung, out=dy) is dy
    np.testing.assert_array_equal(dy, dx)
    assert activation.forward(x, name, rung=rung, out=x) is x
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("rung", RUNGS)
def test_a_single_number_without_axes(rung):
    x = np.array(-2.0, np.float32)
    y = activation.forward(x, "elu", rung=rung)
    assert y.shape == ()
    assert y == pytest.approx(math.expm1(-2), rel=1e-6)


@pytest.mark.numpy_only
def test_erfc_is_exact_to_double_precision():
    x = np.concatenate([np.linspace(-7, 26, 3001), [0.46875, 4.0, -0.46875, -4.0, np.inf, -np.inf]])
    np.testing.assert_allclose(erfc(x), [math.erfc(v) for v in x], rtol=1e-13)


@pytest.mark.no_jit
@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        *((name, {}) for name in NAMES),
        ("relu", {"negative_slope": 0.3, "max_value": 2.0}),
        ("relu", {"threshold": -0.5, "negative_slope": 0.3}),
        ("relu", {"negative_slope": 0.3, "max_value": 0.0}),
        ("elu", {"alpha": 0.3}),
        ("elu", {"alpha": -0.3}),
    ],
)
def test_a_slope_that_is_said_to_be_known_from_the_output_is(name, parameters, rung):
    x = np.concatenate([np.linspace(-9, 9, 301), [0.0, -0.0, 6.0, 1e-30, -1e-30, 1e30, -1e30, np.nan, np.inf, -np.inf]])
    x = x.astype(np.float32)
    y = activation.forward(x, name, **parameters, rung=rung)
    known, wanted = (activation.backward(a, y, np.ones_like(x), name, **parameters, rung=rung) for a in (y, x))
    if activation.slope_is_that_of_output(name, **parameters):
        np.testing.assert_array_equal(known, wanted)
    else:
        assert name == "linear" or not np.array_equal(known, wanted, equal_nan=True)


def test_refusals():
    x = np.zeros(3)
    with pytest.raises(ArgumentError, match="no activation 'rleu'; there are linear, relu"):
        activation.forward(x, "rleu")
    with pytest.raises(ArgumentError, match="'relu' does not take slope"):
        activation.forward(x, "relu", slope=0.1)
    with pytest.raises(DTypeError, match="float"):
        activation.forward(np.zeros(3, int), "relu")
    with pytest.raises(ShapeError, match="one shape"):
        activation.backward(x, x, np.zeros(4), "relu")
    with pytest.raises(ShapeError, match="out must be"):
        activation.forward(x, "relu", out=np.zeros(4))
