"""The archives of CIFAR-10 and CIFAR-100, for Python or binary, packed or unpacked.

A picture is 3,072 bytes: its red values row by row, then the green ones, then the blue ones.  The binary files have the
labels, a byte each, before every picture; those for Python are pickles, which are read as data and never run.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and
https://www.cs.toronto.edu/~kriz/cifar.html
"""

import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minicnn.datasets.plain_pickle import read_plain_pickle
from minicnn.errors import FileFormatError

_PIXELS = 3072
_MAX_MEMBERS = 64

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Layout:
    """What the files of a set are called and how they are made.

    Attributes
    ----------
    name
        For messages.
    train, test
        Names of the files for Python; the binary ones have `.bin` at their end.
    labels, classes
        The kinds of labels, by their keys in the pickles, in the order of the binary files; the classes of each kind.
    largest
        Bytes that a file of the archive may have.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[int, ...]
    largest: int


def read(path: Path, layout: Layout, kind: str) -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)) of an archive or a folder; nothing is unpacked to disk.

    Returns
    -------
    tuple
        x uint8 (N,32,32,3), y uint8 (N,1): the labels of one kind.

    Raises
    ------
    FileFormatError
        Damaged, or not an archive of this shape.
    """
    names = (*layout.train, *layout.test)
    wanted = {*names, *(f"{name}.bin" for name in names)}
    found = _unpacked(path, wanted, layout) if path.is_dir() else _packed(path, wanted, layout)
    binary = len(found.keys() & {f"{name}.bin" for name in names}) > len(found.keys() & {*names})
    end = ".bin" if binary else ""
    missing = sorted({f"{name}{end}" for name in names} - found.keys())
    if missing:
        raise FileFormatError(
            f"{path}: no {layout.name} archive for Python or binary, {missing[0]} is missing; remove it"
        )
    read_batch = _binary_batch if binary else _pickled_batch
    batches = {name: read_batch(found[name + end], f"{path}, {name}{end}", layout, kind) for name in names}
    return _joined([batches[name] for name in layout.train]), _joined([batches[name] for name in layout.test])


def _unpacked(folder: Path, wanted: set[str], layout: Layout) -> dict[str, bytes]:
    found = {}
    for name in wanted:
        file = folder / name
        if file.is_file():
            if file.stat().st_size > layout.largest:
                raise _too_large(folder, layout)
            found[name] = file.read_bytes()
    return found


def _packed(path: Path, wanted: set[str], layout: Layout) -> dict[str, bytes]:
    """The bytes of the wanted regular files of a tar archive, by their names without folders."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for count, member in enumerate(archive):
                if count == _MAX_MEMBERS or member.size > layout.largest:
                    raise _too_large(path, layout)
                name = member.name.rpartition("/")[2]
                file = archive.extractfile(member) if member.isreg() and name in wanted else None
                if file is not None:
                    found[name] = file.read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise FileFormatError(f"{path}: not a readable .tar.gz archive ({error}); remove it and try again") from None
    return found


def _too_large(path: Path, layout: Layout) -> FileFormatError:
    return FileFormatError(f"{path}: too many or too large files for a {layout.name} archive")


def _pickled_batch(data: bytes, source: str, layout: Layout, kind: str) -> Arrays:
    batch = read_plain_pickle(data, source)
    x, labels = batch.get(b"data"), batch.get(kind.encode())
    classes = layout.classes[layout.labels.index(kind)]
    if not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] != _PIXELS:
        raise FileFormatError(f"{source}: 'data' is not an array (n, {_PIXELS})")
    if not isinstance(labels, list) or len(labels) != len(x) or not all(label in range(classes) for label in labels):
        raise FileFormatError(f"{source}: {kind!r} is not a list of {len(x)} numbers 0 to {classes - 1}")
    return _pictures(x), np.array(labels, np.uint8).reshape(-1, 1)


def _binary_batch(data: bytes, source: str, layout: Layout, kind: str) -> Arrays:
    column, bytes_each = layout.labels.index(kind), len(layout.labels) + _PIXELS
    if not data or len(data) % bytes_each:
        raise FileFormatError(f"{source}: {len(data):,} bytes are no pictures of {bytes_each:,} each; remove it")
    records = np.frombuffer(data, np.uint8).reshape(-1, bytes_each)
    labels = records[:, column : column + 1].copy()
    if labels.max() >= layout.classes[column]:
        raise FileFormatError(f"{source}: has label {labels.max()}, classes are 0 to {layout.classes[column] - 1}")
    return _pictures(records[:, len(layout.labels) :]), labels


def _pictures(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _joined(batches: Sequence[Arrays]) -> Arrays:
    return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])
