"""Checks of arguments."""

import numpy as np
import pytest

from minicnn.arguments import number, one_of
from minicnn.errors import ArgumentError

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("value", "interval"), [(0, "[0, 1)"), (1, "[0, 1]"), (0.5, "(0, 1)"), (1e9, "(0, inf)"), (np.float32(2), "[2, 3]")]
)
def test_numbers_inside_pass_as_float(value, interval):
    found = number("thing", "size", value, interval)
    assert type(found) is float
    assert found == value


@pytest.mark.parametrize(
    ("value", "interval"),
    [(1, "[0, 1)"), (0, "(0, 1]"), (-1e-9, "[0, inf)"), (float("inf"), "[0, inf)"), (float("nan"), "[0, inf)"),
     (True, "[0, 1]"), ("1", "[0, 1]"), (None, "[0, 1]")],
)  # fmt: skip
def test_everything_else_is_refused_by_name(value, interval):
    with pytest.raises(ArgumentError, match="thing: size must be a number in") as error:
        number("thing", "size", value, interval)
    assert interval in str(error.value)


def test_one_of_lists_the_choices():
    assert one_of("thing", "mode", None, (None, "micro")) is None
    assert type(one_of("thing", "dtype", np.dtype("float32"), ("float32", "int8"))) is str
    with pytest.raises(ArgumentError, match="thing: mode must be one of None, 'micro'; it is 'both'"):
        one_of("thing", "mode", "both", (None, "micro"))
