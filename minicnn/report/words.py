"""How figures, spans and names are written for a reader."""

import itertools
import re
from collections.abc import Sequence

from minicnn.transfer.remarks import count

__all__ = ["axis_percent", "count", "duration", "percent", "shortened"]

SHORTEST_CUT = 26


def percent(share: float) -> str:
    """A share as a percentage with one digit."""
    return f"{share:.1%}"


def axis_percent(share: float) -> str:
    """
    A share as a percentage with a digit after the point only where it needs one.

    Examples
    --------
    >>> axis_percent(0.6), axis_percent(0.985)
    ('60%', '98.5%')
    """
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def duration(seconds: float) -> str:
    """
    A time span as a person says it.

    Examples
    --------
    >>> duration(0.0123), duration(0.874), duration(7.26), duration(200)
    ('12 ms', '0.87 s', '7.3 s', '3 min 20 s')
    """
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def shortened(names: Sequence[str], width: int = SHORTEST_CUT) -> list[str]:
    """
    Names of at most `width` characters, or more where two would look alike: without what all of them begin with when
    that makes room, then cut in the middle.

    Examples
    --------
    >>> shortened(["garden_2019_red_tulip", "garden_2019_blue_iris"], 12)
    ['…red_tulip', '…blue_iris']
    >>> shortened(["garden_2019_red_tulip", "oak"], 12)
    ['gar…ed_tulip', 'oak']
    """
    if len(names) > 1 and max(map(len, names)) > width:
        first, last = min(names), max(names)
        same = "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last)))
        shared = re.sub(r"[^\W_]*$", "", same)
        names = [f"…{name[len(shared) :]}" for name in names] if len(shared) > 1 else names
    cut = [_cut(name, width) for name in names]
    while len(set(cut)) < len(set(names)):
        width += 4
        cut = [_cut(name, width) for name in names]
    return cut


def _cut(name: str, width: int) -> str:
    """At most `width` characters: a third from the beginning, the rest from the end."""
    front = (width - 1) // 3
    return name if len(name) <= width else f"{name[:front]}…{name[len(name) - (width - 1 - front) :]}"
