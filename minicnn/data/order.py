"""The order of names that a person expects, and lists of names in messages."""

import re
from collections.abc import Iterable

from minicnn.data.problems import printable

_LISTED = 10


def natural_key(name: str) -> tuple:
    """The sort key of natural order.

    >>> sorted(["b10", "b9", "a"], key=natural_key)
    ['a', 'b9', 'b10']
    """
    pieces = re.split("([0-9]+)", name)
    return tuple(_number(piece) if i % 2 else piece for i, piece in enumerate(pieces)), name


def _number(digits: str) -> tuple[int, str]:
    """Sorts as the number does; Python turns no more than 4,300 digits into an int."""
    digits = digits.lstrip("0")
    return len(digits), digits


def in_words(names: Iterable[str]) -> str:
    """'a', 'b' ... of at most ten names.

    >>> in_words("ab")
    "'a', 'b'"
    """
    return joined([f"'{printable(name)}'" for name in names])


def joined(said: list[str]) -> str:
    """At most ten texts, and how many more there are."""
    more = f" and {len(said) - _LISTED} more" if len(said) > _LISTED else ""
    return ", ".join(said[:_LISTED]) + more
