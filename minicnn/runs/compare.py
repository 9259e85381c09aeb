"""What differs between runs, and whether one is better than another by more than chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minicnn.runs.run import Run


def differences(first: Run, second: Run) -> dict[str, tuple[Any, Any]]:
    """{fact: (of the first, of the second)} where they differ in configuration, data or environment; None: unknown."""
    a, b = first.facts(), second.facts()
    return {name: (a.get(name), b.get(name)) for name in {**a, **b} if a.get(name) != b.get(name)}


def varying(runs: Sequence[Run]) -> list[str]:
    """The choices that are not the same in all of these runs, as far as they tell them."""
    known = [run.config for run in runs if run.config]
    names = dict.fromkeys(name for config in known for name in config)
    return [name for name in names if any(config.get(name) != known[0].get(name) for config in known)]


@dataclass(frozen=True)
class SamePictures:
    """
    Two runs on the validation pictures that both judged.

    Attributes
    ----------
    pictures : int
    both, first, second : int
        How many both got right, the first alone, the second alone.
    p : float
        The chance of answers as unequal as these, or more, if both were equally good.
    """

    pictures: int
    both: int
    first: int
    second: int
    p: float


def compare_answers(first: Run, second: Run) -> SamePictures | None:
    """
    The answers of two runs to the pictures that both judged; None where there are none.

    A picture is the same where its name and class are, and its bytes where both runs say them.

    p is that of the exact sign test, McNemar's: of n = first + second pictures on which one alone is right, with k the
    smaller number, p = min(1, 2 Σ_{i ≤ k} C(n, i) / 2ⁿ).

    Source
    ------
    Q. McNemar, Note on the sampling error of the difference between correlated proportions (1947).
    """
    a, b = first.answers(), second.answers()
    known, bytes_of = first.hashes(), second.hashes()
    shared = [
        name
        for name, (true, _) in a.items()
        if name in b
        and true == b[name][0]
        and known.get(name, bytes_of.get(name)) == bytes_of.get(name, known.get(name))
    ]
    if not shared:
        return None
    right = [(a[name][0] == a[name][1], b[name][0] == b[name][1]) for name in shared]
    alone = right.count((True, False)), right.count((False, True))
    return SamePictures(len(shared), right.count((True, True)), *alone, sign_test(*alone))


def sign_test(first: int, second: int) -> float:
    """
    The two-sided p of `first` against `second` throws of a fair coin.

    Examples
    --------
    >>> sign_test(5, 0), sign_test(3, 3)
    (0.0625, 1.0)
    """
    n, k = first + second, min(first, second)
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
