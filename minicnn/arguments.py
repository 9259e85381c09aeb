"""Checks of arguments, with one wording for all refusals."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

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
        x = float(value)
        if (low < x or (x == low and interval[0] == "[")) and (x < high or (x == high and interval[-1] == "]")):
            return x
    raise ArgumentError(f"{owner}: {argument} must be a number in {interval}; it is {value!r}")


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


def one_of(owner: str, argument: str, value: Any, choices: Iterable[Any]) -> Any:
    """`value`, when it is one of the choices.

    Raises
    ------
    ArgumentError
        It is not; the message lists them.
    """
    choices = list(choices)
    if any(value is choice or value == choice for choice in choices):
        return value
    raise ArgumentError(f"{owner}: {argument} must be one of {', '.join(map(repr, choices))}; it is {value!r}")
