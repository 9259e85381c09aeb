"""gradcheck must find what is wrong, or it checks nothing."""

import numpy as np
import pytest

from minicnn import Parameter, Tensor, gradcheck
from minicnn.autograd import Context, Function
from minicnn.errors import ArgumentError, DTypeError

pytestmark = pytest.mark.numpy_only


class Slope(Function):
    """y = 2 a + b, with a gradient of a that is wrong by a chosen part."""

    error = 0.0

    @staticmethod
    def forward(ctx: Context, a, b):
        return 2 * a + b

    @staticmethod
    def backward(ctx: Context, dy):
        return (2 + Slope.error) * dy, dy


def pair() -> list[Tensor]:
    return [Tensor(np.array(values), requires_grad=True) for values in ([1.0, 2.0], [3.0, 4.0])]


def test_a_small_error_is_found_and_its_input_named(monkeypatch):
    assert gradcheck(Slope.apply, pair())
    monkeypatch.setattr(Slope, "error", 1e-4)
    with pytest.raises(ArithmeticError, match=r"gradient of input 0 \(shape \(2,\)\): backward gives .* quotient"):
        gradcheck(Slope.apply, pair())


def test_a_gradient_that_never_comes_is_found():
    with pytest.raises(ArithmeticError, match=r"input 0.*backward gives 0"):
        gradcheck(lambda x, y: x.detach() * y, pair())


def test_inputs_that_need_no_gradient_are_not_checked(monkeypatch):
    monkeypatch.setattr(Slope, "error", 1.0)
    a, b = pair()
    assert gradcheck(Slope.apply, [Tensor(a.array), b])


def test_parameters_may_be_inputs():
    assert gradcheck(lambda p: p * p, Parameter((3,), np.float64, lambda shape, dtype: np.arange(1.0, 4.0)))


def test_refusals():
    with pytest.raises(DTypeError, match="needs float64"):
        gradcheck(lambda x: x, Tensor(np.ones(2, np.float32), requires_grad=True))
    with pytest.raises(ArgumentError, match="no input has requires_grad"):
        gradcheck(lambda x: x, Tensor(np.ones(2)))
