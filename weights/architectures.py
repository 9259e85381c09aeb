"""The table of published architectures: their builders, sizes and counts, how pictures are prepared, who made them.

The accuracies and licences are quoted; "sources" at the head of architectures.json says where from.  Counts and sides
are those of what is built, which tests compare.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from minicnn.errors import ArgumentError


@dataclass(frozen=True)
class Architecture:
    """
    One row: an architecture for 1,000 classes, or a variant of it that weights are published for.

    Attributes
    ----------
    name, module : str
        The builder and the module of minicnn.applications that has it.
    side, least : int
        Of the pictures that it was trained with, and of the smallest that it takes, in pixels.
    parameters, headless : int
        How many numbers its weights are, with and without its classifier.
    preprocessing : str
        "caffe", "tf", "torch" or "none": how pixels become numbers.
    top1 : float or None
        Accuracy on the validation set of ImageNet in percent, as published with the weights; None where it was not.
    licence : str or None
        Of the published weights; None where it is not stated.
    paper : str
    arguments : mapping
        Of the builder: {"alpha": 0.25}.
    """

    name: str
    module: str
    side: int
    least: int
    parameters: int
    headless: int
    preprocessing: str
    top1: float | None
    licence: str | None
    paper: str
    arguments: Mapping[str, float | bool] = field(default_factory=dict)

    def __str__(self) -> str:
        said = [key if value is True else f"{key} {value:g}" for key, value in self.arguments.items()]
        return ", ".join([self.name, *said])


@cache
def architectures() -> tuple[Architecture, ...]:
    """All rows, families together, variants after their architecture."""
    text = Path(__file__).with_name("architectures.json").read_text("utf-8")
    return tuple(Architecture(**row) for row in json.loads(text)["architectures"])


def architecture(name: str, others: Iterable[str] = ()) -> Architecture:
    """The row of a name, in small or capital letters; `others` are names that may be meant where there is none.

    Raises
    ------
    ArgumentError
        There is none.

    Examples
    --------
    >>> architecture("vgg16").parameters
    138357544
    """
    rows = {row.name.lower(): row for row in architectures() if not row.arguments}
    if name.lower() in rows:
        return rows[name.lower()]
    meant = similar(name, [*rows, *others])
    hint = f", did you mean {meant}?" if meant else ": minicnn models --list names all"
    raise ArgumentError(f"there is no architecture {name!r}{hint}")


def similar(name: str, names: Iterable[str]) -> str:
    """The one of some names, in small letters, that is likely to be meant; "" when there is none.

    The package before a dot may be left out.

    Examples
    --------
    >>> similar("ResNet18", ["resnet101", "torchvision.resnet18"])
    'torchvision.resnet18'
    >>> similar("timm.resnet18", ["timm.vgg16", "torchvision.resnet18"])
    ''
    """
    package, _, name = name.lower().rpartition(".")
    ends: dict[str, str] = {}
    for known in names:
        of, _, end = known.rpartition(".")
        if package in ("", of):
            ends.setdefault(end, known)
    return next((ends[end] for end in difflib.get_close_matches(name, ends, n=1)), "")
