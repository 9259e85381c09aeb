"""elementwise: ties, NaN, gradients of repeated operands, refusals."""

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import ArgumentError, DTypeError, ShapeError
from minicnn.kernels import elementwise

RUNGS = kernels.rungs("elementwise")


@pytest.mark.numpy_only
def test_a_tie_goes_to_the_first():
    a, b, dy = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]), np.array([5.0, 6.0, 7.0])
    da, db = elementwise.maximum_backward(a, b, dy)
    np.testing.assert_array_equal(da, [0, 6, 7])
    np.testing.assert_array_equal(db, [5, 0, 0])


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize(("name", "expected"), [("relu", [0, 2, 9, np.nan, np.inf]), ("relu6", [0, 2, 6, np.nan, 6])])
def test_an_activation_comes_after_a_sum(rung, name, expected):
    a, b = np.float32([[-3, 1, 4, np.nan, np.inf]]), np.float32([[2, 1, 5, 1, 1]])
    np.testing.assert_array_equal(elementwise.add(a, b, activation=name, rung=rung), [expected])


def test_another_activation_is_refused():
    with pytest.raises(ArgumentError, match="'tanh' may not"):
        elementwise.add(np.zeros(3), np.zeros(3), activation="tanh")


@pytest.mark.numpy_only
@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", elementwise.FORWARD)
def test_nan_of_either_operand_is_kept(name, rung):
    function = getattr(elementwise, name)
    a, b = np.array([np.nan, 1.0, 2.0], np.float32), np.array([1.0, np.nan, 2.0], np.float32)
    np.testing.assert_array_equal(np.isnan(function(a, b, rung=rung)), [True, True, False])


@pytest.mark.parametrize("rung", RUNGS)
def test_numbers_without_axes(rung):
    two, three, pair = np.array(2, np.float32), np.array(3, np.float32), np.array([1, 3], np.float32)
    assert elementwise.add(two, three, rung=rung) == 5
    np.testing.assert_array_equal(elementwise.multiply(two, pair, rung=rung), [2, 6])


@pytest.mark.parametrize("rung", RUNGS)
def test_writes_into_an_operand(rung):
    a, b = np.ones((2, 3), np.float32), np.full((2, 3), 4, np.float32)
    assert elementwise.add(a, b, out=a, rung=rung) is a
    np.testing.assert_array_equal(a, 5)


@pytest.mark.numpy_only
def test_gradients_of_a_channel_gate():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 2, 3, 4, 5))
    gate = rng.standard_normal((2, 1, 1, 5))
    dx, dgate = elementwise.multiply_backward(x, gate, dy)
    np.testing.assert_allclose(dx, dy * gate)
    np.testing.assert_allclose(dgate, (dy * x).sum(axis=(1, 2), keepdims=True))


def test_long_sums_keep_their_precision():
    dy = np.full((1, 3000, 100, 1), 0.1, np.float32)
    _, db = elementwise.add_backward(dy, dy.shape, (1, 1, 1, 1))
    np.testing.assert_allclose(db, np.float64(np.float32(0.1)) * 300_000, rtol=1e-7)


def test_add_hands_the_gradient_on():
    dy = np.ones((2, 3))
    da, db = elementwise.add_backward(dy, (2, 3), (3,))
    assert da is dy
    np.testing.assert_array_equal(db, [2, 2, 2])


def test_refusals():
    with pytest.raises(ShapeError, match="do not broadcast"):
        elementwise.add(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(DTypeError, match="b float32"):
        elementwise.multiply(np.zeros(3), np.zeros(3, np.float32))
    with pytest.raises(ShapeError, match="broadcast to"):
        elementwise.maximum_backward(np.zeros(3), np.zeros(3), np.zeros(4))
    with pytest.raises(ShapeError, match="out must be"):
        elementwise.add(np.zeros(3), np.zeros((2, 3)), out=np.zeros(3))
