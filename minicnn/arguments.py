"""Checks of arguments, with one wording for all refusals."""

import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError


def number(owner: str, argument: str, value: Any, interval: str) -> float:
    """`value` as a float, when it lies in the interval, written as in mathematics: "[0, 1)", "(0, inf)".

    Raises
    ------
    ArgumentError
        Not a number, or not in the interval; NaN lies in none.

    Examples
    --------
    >>> number("sgd", "momentum", 1, "[0, 1]")
    1.0
    """
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            x = float(value)
        except OverflowError:
            x = math.nan  # a whole number beyond all floats
        if (low < x or (x == low and interval[0] == "[")) and (x < high or (x == high and interval[-1] == "]")):
            return x
    raise ArgumentError(f"{owner}: {argument} must be a number in {interval}; it is {value!r}")


def interval(owner: str, argument: str, value: Any, low: float, high: float) -> tuple[float, float]:
    """(a, b) of two numbers with low <= a <= b <= high, or (-v, v) of one number v, cut at low.

    Raises
    ------
    ArgumentError

    Examples
    --------
    >>> interval("Rotate", "angle", 10, -180, 180)
    (-10.0, 10.0)
    """
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and len(value) == 2:
        first = number(owner, argument, value[0], f"[{low}, {high}]")
        return first, number(owner, argument, value[1], f"[{first}, {high}]")
    most = number(owner, argument, value, f"[0, {high}]")
    return max(-most, float(low)), most


def whole_number(owner: str, argument: str, value: Any, least: int) -> int:
    """`value` as an int, when it is a whole number of at least `least`.

    Raises
    ------
    ArgumentError
        It is not; True and False are none, and neither is 2.0.

    Examples
    --------
    >>> whole_number("fit", "epochs", 3, 0)
    3
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least:
        return int(value)
    raise ArgumentError(f"{owner}: {argument} must be a whole number of at least {least}; it is {value!r}")


def whole_numbers(owner: str, argument: str, values: Any, least: int) -> tuple[int, ...]:
    """`values` as a tuple of ints, when it is a list of whole numbers of at least `least`.

    Raises
    ------
    ArgumentError
        It is not.
    """
    return tuple(whole_number(owner, argument, value, least) for value in items(owner, argument, values))


def items(owner: str, argument: str, values: Any) -> tuple[Any, ...]:
    """`values` as a tuple, when it is a list or a tuple, or an array.

    Raises
    ------
    ArgumentError
        It is not; a text is none.
    """
    if isinstance(values, (Sequence, np.ndarray)) and not isinstance(values, str | bytes) and np.ndim(values) != 0:
        return tuple(values)
    raise ArgumentError(f"{owner}: {argument} must be a list or tuple; it is {values!r}")


def numbers(owner: str, argument: str, value: Any) -> np.ndarray:
    """A number, or an array or list of numbers, as an array.

    Raises
    ------
    ArgumentError
        It is not; nor are lists of different lengths.

    Examples
    --------
    >>> numbers("layer r", "scale", np.ones(2))
    array([1., 1.])
    """
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "fiub":
        raise ArgumentError(f"{owner}: {argument} must be a number, or a list of numbers; it is {value!r}")
    return array


def switch(owner: str, argument: str, value: Any) -> bool:
    """`value` as a bool, when it is True or False, or NumPy's, or 1 or 0.

    Raises
    ------
    ArgumentError
        It is not; "no" would count as True.
    """
    if isinstance(value, bool | np.bool_ | Integral) and value in (0, 1):
        return bool(value)
    raise ArgumentError(f"{owner}: {argument} must be True or False; it is {value!r}")


def one_of(owner: str, argument: str, value: Any, choices: Iterable[Any]) -> Any:
    """The choice that a value is, or is equal to.

    Raises
    ------
    ArgumentError
        It is not; the message lists them.
    """
    choices = list(choices)
    for choice in choices:
        if value is choice or value == choice:
            return choice
    raise ArgumentError(f"{owner}: {argument} must be one of {', '.join(map(repr, choices))}; it is {value!r}")
