"""prelu: the corner, infinities, refusals."""

import numpy as np
import pytest

from minicnn.errors import ShapeError
from minicnn.kernels import prelu

RUNGS = ["reference", "v1_numpy", "v2_vector"]


@pytest.mark.parametrize("rung", RUNGS)
def test_slope_at_zero_is_zero(rung):
    x = np.array([[-1, 0, 2, np.nan]], np.float32)
    alpha, dy = np.full(4, 0.5, np.float32), np.full((1, 4), 3, np.float32)
    np.testing.assert_array_equal(prelu.forward(x, alpha, rung=rung), [[-0.5, 0, 2, np.nan]])
    dx, dalpha = prelu.backward(x, alpha, dy, rung=rung)
    np.testing.assert_array_equal(dx[:, :3], [[1.5, 0, 3]])
    np.testing.assert_array_equal(dalpha, [-3, 0, 0, np.nan])


@pytest.mark.parametrize("rung", RUNGS)
def test_infinite_gradients_above_zero_do_not_reach_alpha(rung):
    x = np.array([[1, -2]], np.float32)
    dy = np.array([[np.inf, 1]], np.float32)
    _, dalpha = prelu.backward(x, np.zeros(1, np.float32), dy, rung=rung)
    np.testing.assert_array_equal(dalpha, [-2])


@pytest.mark.parametrize("rung", RUNGS)
def test_whole_numbers_are_exact(rung):
    rng = np.random.default_rng(0)
    x, dy = rng.integers(-3, 4, (2, 5, 9, 8, 33)).astype(np.float32)
    dx, dalpha = prelu.backward(x, np.full((1, 8, 1), 2, np.float32), dy, rung=rung)
    np.testing.assert_array_equal(dx, dy * np.where(x > 0, 1, np.where(x < 0, 2, 0)))
    np.testing.assert_array_equal(dalpha, (dy * np.minimum(x, 0)).sum(axis=(0, 1, 3)).reshape(1, 8, 1))


def test_refusals():
    x = np.zeros((2, 3, 4))
    for alpha in (np.zeros(4), np.zeros((3, 2)), np.zeros((2, 3, 4))):
        with pytest.raises(ShapeError, match="shape of a sample"):
            prelu.forward(x, alpha)
    with pytest.raises(ShapeError, match="one shape"):
        prelu.backward(x, np.zeros((3, 4)), np.zeros((2, 3, 5)))
