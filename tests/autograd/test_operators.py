"""Operators against NumPy, and their gradients against differences, with and without broadcasting."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Tensor, gradcheck
from minicnn.errors import ArgumentError, DTypeError, ShapeError

pytestmark = pytest.mark.numpy_only
BINARY = (operator.add, operator.sub, operator.mul, operator.truediv)


@st.composite
def broadcastable(draw) -> list[np.ndarray]:
    """Two arrays whose shapes broadcast, their numbers between 0.5 and 2 and away from 0."""
    whole = draw(st.lists(st.integers(1, 3), max_size=4))
    shapes = [[1 if draw(st.booleans()) else size for size in whole] for _ in range(2)]
    shapes[draw(st.integers(0, 1))] = whole[draw(st.integers(0, len(whole))) :] if whole else []
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    return [generator.uniform(0.5, 2.0, shape) * generator.choice([-1, 1], shape) for shape in shapes]


@given(arrays=broadcastable(), function=st.sampled_from(BINARY))
def test_binary(arrays, function):
    tensors = [Tensor(array, requires_grad=True) for array in arrays]
    result = function(*tensors)
    np.testing.assert_array_equal(result.numpy(), function(*arrays))
    assert gradcheck(function, tensors)


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: -x, (3, 2)),
        (abs, (3, 2)),
        (lambda x: x**2, (3, 2)),
        (lambda x: x**-1.5, (3, 2)),
        (lambda x: 2 + x, (3, 2)),
        (lambda x: 2 - x, (3, 2)),
        (lambda x: 2 * x, (3, 2)),
        (lambda x: 2 / x, (3, 2)),
        (lambda x: x.sum(), (3, 2)),
        (lambda x: x.sum(), ()),
        (lambda x: x.sum(axis=1), (3, 2, 4)),
        (lambda x: x.sum(axis=(0, -1), keepdims=True), (3, 2, 4)),
        (lambda x: x.mean(), (3, 2)),
        (lambda x: x.mean(axis=(1, 2)), (3, 2, 4)),
        (lambda x: x.reshape(4, -1), (2, 6)),
        (lambda x: x.transpose(), (3, 2, 4)),
        (lambda x: x.transpose(-1, 0), (3, 3)),
        (lambda x: x.transpose(1, 2, 0), (3, 2, 4)),
        (lambda x: x @ x.transpose(0, 2, 1), (2, 3, 4)),
        (lambda x: np.arange(8.0).reshape(2, 4) @ x, (2, 4, 3)),
    ],
)
def test_unary(function, shape):
    array = np.random.default_rng(0).uniform(0.5, 2.0, shape)
    x = Tensor(array, requires_grad=True)
    assert gradcheck(function, x)
    plain = function(array)
    np.testing.assert_allclose(function(x).numpy(), plain, rtol=1e-15)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_matmul_with_broadcast_batches(i, j, k, wide):
    generator = np.random.default_rng([i, j, k])
    a = Tensor(generator.standard_normal((2, 1, i, j)), requires_grad=True)
    b = Tensor(generator.standard_normal((3, j, k) if wide else (j, k)), requires_grad=True)
    np.testing.assert_allclose((a @ b).numpy(), a.array @ b.array)
    assert gradcheck(operator.matmul, [a, b])


def test_the_gradient_of_abs_at_zero_is_zero():
    x = Tensor([0.0], requires_grad=True)
    abs(x).sum().backward()
    assert x.grad.item() == 0


def test_the_gradient_of_a_constant_power_is_zero():
    x = Tensor([0.0, 2.0], requires_grad=True)
    (x**0).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_take_the_tensors_dtype(dtype):
    x = Tensor(np.ones(2, dtype))
    results = [x + 1, 1 - x, np.float64(2) * x, x / np.float32(3), x**2, x ** np.float64(2), -x, x.mean(), abs(x)]
    assert {result.dtype for result in results} == {np.dtype(dtype)}


def test_arrays_on_either_side():
    x, array = Tensor(np.ones(2), requires_grad=True), np.array([2.0, 3.0])
    for result in (x * array, array * x):
        assert isinstance(result, Tensor)
        assert result.requires_grad
        np.testing.assert_array_equal(result.numpy(), array)


FLOAT32, FLOAT64 = Tensor(np.ones(2, np.float32)), Tensor(np.ones(2))
MATRIX = Tensor(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: FLOAT32 + FLOAT64, DTypeError, r"^add: operands of different dtypes \(float32, float64\)"),
        (lambda: FLOAT32 * np.ones(2), DTypeError, "^multiply: .*float32, float64.*cast one"),
        (lambda: MATRIX.transpose() @ Tensor(np.ones((2, 3), np.float32)), DTypeError, "^matmul"),
        (lambda: FLOAT64 - Tensor(np.ones(3)), ShapeError, r"^subtract: shapes \(2,\) and \(3,\) do not broadcast"),
        (lambda: FLOAT64 / MATRIX, ShapeError, "^divide: shapes"),
        (lambda: MATRIX @ MATRIX, ShapeError, r"^matmul: shapes \(2, 3\) and \(2, 3\)"),
        (lambda: FLOAT64 @ FLOAT64, ShapeError, "^matmul"),
        (lambda: MATRIX.reshape(4), ShapeError, r"^reshape: \(2, 3\) cannot become \(4,\)"),
        (lambda: MATRIX.transpose(0, 0), ShapeError, r"^transpose: \(0, 0\) is no order"),
        (lambda: MATRIX.transpose(3, 0), ShapeError, "^transpose: .* does not have all the axes"),
        (lambda: MATRIX.sum(axis=2), ShapeError, r"^sum: an array of shape \(2, 3\) does not have"),
        (lambda: MATRIX.mean(axis=(0, 5)), ShapeError, "^sum"),
        (lambda: FLOAT64 + "text", DTypeError, "made of real numbers"),
        (lambda: FLOAT64**FLOAT64, ArgumentError, "exponent must be a number"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
