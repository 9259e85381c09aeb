"""Which published architecture weights belong to, told by how many numbers they are: names and order do not matter.

No two rows of the table have the same count.  A head for n classes in place of 1,000 changes it by (c + 1) numbers for
each class, where c are the features that the head takes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log, prod

from .architectures import Architecture, architectures

Shape = tuple[int, ...]
CLASSES = 1000  # of the heads in the table
NEAR = 0.01  # of the numbers of a net: so far may weights be from it, and yet be said to be like it


@dataclass(frozen=True)
class Identity:
    """
    An architecture, and which head it has.

    Attributes
    ----------
    architecture : Architecture
    classes : int or None
        Of its own kind of classifier; None when it has none, or dense layers of another kind.
    """

    architecture: Architecture
    classes: int | None = None

    def __str__(self) -> str:
        return f"{self.architecture}, {head(self.classes)}"


def head(classes: int | None) -> str:
    """
    A head in words.

    Examples
    --------
    >>> head(5), head(1), head(None)
    ('5 classes', '1 class', 'no top')
    """
    return f"{classes} {'class' if classes == 1 else 'classes'}" if classes else "no top"


def identify(shapes: Iterable[Shape]) -> Identity | None:
    """
    The architecture with weights of these shapes, or None.

    Parameters
    ----------
    shapes : iterable of shapes
        Of all weights: kernels (KH,KW,C,F), dense kernels (I,O), vectors (C,).

    Examples
    --------
    >>> shapes = [(14_714_688,), (25088, 4096), (4096,), (4096, 4096), (4096,), (4096, 5), (5,)]
    >>> str(identify(shapes))
    'VGG16, 5 classes'
    """
    shapes = [tuple(shape) for shape in shapes]
    total = _count(shapes)
    whole = {row.parameters: row for row in architectures()}
    for features, classes in _classifiers(shapes):
        if row := whole.get(total + (features + 1) * (CLASSES - classes)):
            return Identity(row, classes)
    bare = {row.headless: row for row in architectures()}
    row = bare.get(total) or bare.get(_without_dense(shapes))
    return Identity(row) if row else None


def nearest(shapes: Iterable[Shape], name: str | None = None) -> Architecture | None:
    """The row whose weights are most nearly as many, of one name or of all; of all, only where they nearly are.

    For weights that are damaged or were changed.
    """
    shapes = [tuple(shape) for shape in shapes]
    counts = [count for count in (_count(shapes), _without_dense(shapes)) if count > 0]
    rows = [row for row in architectures() if name in (None, row.name)]
    found = [
        (abs(log(count) - log(wanted)), i)  # of logarithms: a count may be beyond all floats
        for i, row in enumerate(rows)
        for wanted in (row.parameters, row.headless)
        for count in counts
    ]
    distance, best = min(found, default=(0.0, None))
    return None if best is None or (name is None and distance > NEAR) else rows[best]


def _count(shapes: Iterable[Shape]) -> int:
    return sum(map(prod, shapes))


def _classifiers(shapes: list[Shape]) -> Iterator[tuple[int, int]]:
    """(features, classes) of every layer that may be the last: a dense one, or a 1x1 convolution, with a bias."""
    vectors = {shape[0] for shape in shapes if len(shape) == 1}
    kernels = {shape[-2:] for shape in shapes if len(shape) == 2 or (len(shape) == 4 and shape[:2] == (1, 1))}
    return (kernel for kernel in sorted(kernels) if kernel[1] in vectors)


def _without_dense(shapes: list[Shape]) -> int:
    """The count without dense layers and their biases."""
    dense = [shape for shape in shapes if len(shape) == 2]
    return _count(shapes) - sum((inputs + 1) * outputs for inputs, outputs in dense)
