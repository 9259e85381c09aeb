"""The exponential and its relatives, over their whole range, against double precision."""

import numpy as np
import pytest

from minicnn.kernels import activation
from minicnn.kernels.activation.erfc import erfc

numba = pytest.importorskip("numba")
from minicnn.kernels import _vector_math as vector_math  # noqa: E402 (needs numba)

UNIT = 2.0**-24
SMALL = np.geomspace(1e-30, 1, 20_001)


def apply(function, x: np.ndarray) -> np.ndarray:
    """A function of one float32 number on an array."""

    @numba.njit(fastmath={"contract"}, error_model="numpy")
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])
        return y

    return loop(x, np.empty_like(x))


@pytest.mark.parametrize(
    ("name", "expected", "x", "units"),
    [
        ("exp32", np.exp, np.linspace(-87, 88.7, 100_001), 2),
        ("expm1_negative32", np.expm1, -np.concatenate([SMALL, np.linspace(0, 110, 100_001)]), 2),
        ("log1p_unit32", np.log1p, np.concatenate([SMALL, np.linspace(0, 1, 100_001)]), 4),
    ],
)
def test_relative_error(name, expected, x, units):
    x = x.astype(np.float32)
    exact = expected(x.astype(np.float64))
    found = apply(getattr(vector_math, name), x)
    assert np.all(np.abs(found - exact) <= units * UNIT * np.abs(exact))


def test_normal_probability_feels_only_the_rounding_of_its_exponent():
    x = np.linspace(-13, 9, 200_001).astype(np.float32)
    exact = erfc(-x.astype(np.float64) * np.sqrt(0.5)) / 2
    found = apply(vector_math.normal_probability32, x)
    bound = (7 + np.square(np.minimum(x, 0, dtype=np.float64)) / 2) * UNIT * exact
    assert np.all(np.abs(found - exact) <= bound + 1e-37)


def test_values_at_the_ends():
    x = np.array([-np.inf, -1000, -0.0, 0, 88.73, 1000, np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(
        apply(vector_math.exp32, x), np.array([0, 0, 1, 1, np.inf, np.inf, np.inf, np.nan], np.float32)
    )
    np.testing.assert_array_equal(apply(vector_math.expm1_negative32, x[:4]), np.array([-1, -1, 0, 0], np.float32))
    np.testing.assert_array_equal(activation.forward(x, "exponential", rung="v2_vector")[4:6], np.inf)
