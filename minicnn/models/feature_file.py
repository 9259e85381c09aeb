"""Features of named samples in a file that is mapped into memory: written once, read often, believed when checked.

    a line of text | N names of 32 bytes | N digests of 32 bytes | N rows, each with the outputs of one sample

The line says how many samples there are, and type and shape of each output.  A row is written before its digest, and
is there when the digest is right: what a killed process left half-written, or what was damaged later, counts as not
there.  A file is called after the hash of what decides features, its key, and that of its samples' names, so processes
that share one write the same rows.  A file that is removed while it is mapped stays for those who map it.
"""

import contextlib
import hashlib
import io
import json
import mmap
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.weights.atomic import replacing
from minicnn.weights.fetch import cache_folder

from .memory import in_words

MARK = b"minicnn rows 2 "
SUFFIX = ".features"
PARTIAL = ".tmp"
PARTIAL_LIFETIME = 3600.0
DEFAULT_LIMIT = 4 * 2**30
DIGEST, ALIGNMENT, PAGE = 32, 16, 4096
LONGEST_LINE = 1 << 16


def features_folder() -> Path:
    """Where features are kept in the user's cache folder."""
    return cache_folder() / "features"


def names_of(samples: Iterable[Any]) -> np.ndarray:
    """uint8 (N,32): names of samples by which files know them, for texts or numbers that tell them apart.

    >>> names_of(["a", "b"]).shape
    (2, 32)
    """
    digests = b"".join(hashlib.sha256(str(sample).encode()).digest() for sample in samples)
    return np.frombuffer(digests, np.uint8).reshape(-1, DIGEST)


class Layout:
    """
    Where everything lies in a file.

    Parameters
    ----------
    outputs : sequence of (dtype, shape)
        What a row is made of.
    samples : int

    Attributes
    ----------
    line : bytes
        The file's first line, which says the same.
    row : structured dtype
    digests, rows, size : int
        Where they begin, and the file ends.
    """

    def __init__(self, outputs: Sequence[tuple[Any, Sequence[int]]], samples: int):
        formats = [(np.dtype(kind), tuple(map(int, shape))) for kind, shape in outputs]
        said = {"samples": samples, "outputs": [[kind.str, shape] for kind, shape in formats]}
        self.line = MARK + json.dumps(said).encode() + b"\n"
        sizes = [-(-np.dtype(each).itemsize // ALIGNMENT) * ALIGNMENT for each in formats]
        self.offsets, stride = np.cumsum([0, *sizes[:-1]]).tolist(), sum(sizes)
        fields = {"names": [f"{i}" for i in range(len(sizes))], "formats": formats, "offsets": self.offsets}
        self.row, self.samples = np.dtype(fields | {"itemsize": stride}), samples  # type: ignore[call-overload]
        self.digests = len(self.line) + samples * DIGEST
        self.rows = -(-(self.digests + samples * DIGEST) // PAGE) * PAGE
        self.size = self.rows + samples * stride

    @classmethod
    def of(cls, file: io.FileIO) -> "Layout":
        """The layout of an open file; ValueError when its first line or its size does not fit."""
        line = file.read(LONGEST_LINE).partition(b"\n")[0] + b"\n"
        said = json.loads(line.removeprefix(MARK))
        layout = cls(said["outputs"], said["samples"])
        if layout.line != line or layout.row.hasobject or os.fstat(file.fileno()).st_size != layout.size:
            raise ValueError("no file of features")
        return layout


class FeatureFile:
    """
    Rows of features of named samples.

    `make` makes one, `kept` finds those that are there.

    Attributes
    ----------
    path : Path or None
        None of a file without a name, which is gone with this object.
    names : uint8 (N,32)
    arrays : list of arrays (N,...)
        The rows as they lie in the file, read when they are used; only those that `missing` does not name are features.
    """

    def __init__(self, file: io.FileIO, layout: Layout, key: str, path: Path | None):
        self._file, self._layout, self.path = file, layout, path
        self._kind = key.encode() + layout.line
        weakref.finalize(self, file.close)
        samples = layout.samples
        self._map = mmap.mmap(file.fileno(), layout.size, access=mmap.ACCESS_READ)
        self.names, self._digests = (
            np.frombuffer(self._map, np.uint8, samples * DIGEST, start).reshape(samples, DIGEST)
            for start in (len(layout.line), layout.digests)
        )
        rows = np.ndarray(samples, layout.row, self._map, layout.rows)  # type: ignore[arg-type]
        self.arrays = [rows[name] for name in layout.row.names or ()]
        self._good = np.zeros(samples, bool)  # rows that were looked at

    @classmethod
    def make(
        cls,
        like: Sequence[np.ndarray],
        names: np.ndarray,
        key: str | None = None,
        folder: Path | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> "FeatureFile":
        """
        The file for these samples, without any row, or as it was left.

        Parameters
        ----------
        like : list of arrays (B,...)
            Features of some samples, which say type and shape of a row.
        names : uint8 (N,32)
        key : str or None
            The hash of what decides the features; with None the file has no name, and is gone with this object.
        folder : path, optional
            The one of the user's cache when None.
        limit : int
            Bytes that all files in the folder together may take; those unused for longest are removed.

        Raises
        ------
        OSError, FileAccessError
            There is no room, or the folder cannot be written.
        """
        folder, layout = folder or features_folder(), Layout([(a.dtype, a.shape[1:]) for a in like], len(names))
        folder.mkdir(parents=True, exist_ok=True)
        path = None if key is None else _path(folder, key, names)
        if path is not None and (found := cls._as_left(path, key or "", layout, names)) is not None:
            return found
        room = min(limit, shutil.disk_usage(folder).free)
        if layout.size > room:
            raise OSError(f"they take {in_words(layout.size)}, and there is room for {in_words(room)}")
        trim(folder, limit - layout.size)
        begun = layout.line + names.tobytes()
        if path is not None:
            path.parent.mkdir(exist_ok=True)
            with replacing(path) as temporary, temporary.open("wb") as file:
                _begin(file, begun, layout.size)
            with contextlib.suppress(FileNotFoundError, ValueError):  # another process may have spoiled it by now
                return cls(path.open("r+b", buffering=0), layout, key or "", path)
        file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        _begin(file, begun, layout.size)
        return cls(file, layout, key or "", None)

    @classmethod
    def _as_left(cls, path: Path, key: str, layout: Layout, names: np.ndarray) -> "FeatureFile | None":
        """The file at a path if it is of just these samples, now the last one used."""
        with contextlib.suppress(OSError, ValueError):
            found = cls._opened(path, key)
            if found._layout.line == layout.line and np.array_equal(found.names, names):
                found.touch()
                return found
        return None

    @classmethod
    def kept(cls, key: str, folder: Path, names: np.ndarray) -> Iterator["FeatureFile"]:
        """The files of this key, one by one: that of just these samples, then the larger before the smaller."""
        sizes: dict[Path, int] = {}
        with contextlib.suppress(OSError):  # a name that is too long
            sizes = {path: _size(path) for path in (folder / key[:2]).glob(f"{key}-*{SUFFIX}")}
        whole = _path(folder, key, names)
        for path in sorted(sizes, key=lambda path: (path != whole, -sizes[path], path)):
            with contextlib.suppress(OSError, ValueError):
                yield cls._opened(path, key)

    @classmethod
    def _opened(cls, path: Path, key: str) -> "FeatureFile":
        """A file that is there, for reading alone where it may not be written."""
        try:
            file = path.open("r+b", buffering=0)
        except OSError:
            file = path.open("rb", buffering=0)
        try:
            return cls(file, Layout.of(file), key, path)
        except (KeyError, OverflowError, TypeError, ValueError, RecursionError):
            file.close()
            raise ValueError(f"{path} is no file of features") from None

    def touch(self) -> None:
        """It was used now."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                os.utime(self.path)

    def missing(self, rows: np.ndarray) -> np.ndarray:
        """Which of these rows are not there, bool (B,)."""
        for row in rows[~self._good[rows]].tolist():
            found = self._digests[row].tobytes()
            self._good[row] = any(found) and found == self._digest(row, [array[row] for array in self.arrays])
        return ~self._good[rows]

    def read(self, rows: np.ndarray) -> list[np.ndarray]:
        """Copies of these rows, one array an output."""
        return [array[rows] for array in self.arrays]

    def write(self, rows: np.ndarray, features: Sequence[np.ndarray]) -> None:
        """Keep the features of these samples.

        Raises
        ------
        OSError
            The disk is full, or the file may not be written.
        """
        layout = self._layout
        for position, row in enumerate(rows.tolist()):
            outputs = [np.ascontiguousarray(array[position]) for array in features]
            for offset, output in zip(layout.offsets, outputs):
                self._put(layout.rows + row * layout.row.itemsize + offset, output)
            self._put(layout.digests + row * DIGEST, np.frombuffer(self._digest(row, outputs), np.uint8))
            self._good[row] = True

    def discard(self) -> None:
        """Let nobody find the file any more."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _put(self, position: int, array: np.ndarray) -> None:
        self._file.seek(position)
        left = array.reshape(-1).view(np.uint8).data
        while left:
            left = left[self._file.write(left) :]

    def _digest(self, row: int, outputs: Sequence[np.ndarray]) -> bytes:
        """SHA-256 of a row, of the sample's name, and of what the file is for."""
        digest = hashlib.sha256(self._kind + self.names[row].tobytes())
        for output in outputs:
            digest.update(output.reshape(-1).view(np.uint8).data)
        return digest.digest()


def is_mapped(array: Any) -> bool:
    """Whether an array lies in a file, so that a copy of it may not fit in memory."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


class FeatureRows:
    """Rows of features in memory; as FeatureFile has them."""

    def __init__(self, like: Sequence[np.ndarray], samples: int):
        self.arrays = [np.empty((samples, *array.shape[1:]), array.dtype) for array in like]
        self._filled = np.zeros(samples, bool)

    def missing(self, rows: np.ndarray) -> np.ndarray:
        """Which of these rows are not there, bool (B,)."""
        return ~self._filled[rows]

    def read(self, rows: np.ndarray) -> list[np.ndarray]:
        """Copies of these rows, one array an output."""
        return [array[rows] for array in self.arrays]

    def write(self, rows: np.ndarray, features: Sequence[np.ndarray]) -> None:
        """Keep the features of these samples."""
        for array, values in zip(self.arrays, features):
            array[rows] = values
        self._filled[rows] = True

    def discard(self) -> None:
        """Nobody else finds them."""


def _path(folder: Path, key: str, names: np.ndarray) -> Path:
    return folder / key[:2] / f"{key}-{hashlib.sha256(names.tobytes()).hexdigest()[:16]}{SUFFIX}"


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def trim(folder: Path, limit: int) -> None:
    """Remove the features in a folder that were unused for longest until the rest is within the limit."""
    entries, paths = [], []
    with contextlib.suppress(OSError):  # a folder that may not be entered
        paths = list(folder.glob("*/*"))
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.suffix == SUFFIX:
                entries.append((status.st_mtime, status.st_size, path))
            elif path.suffix == PARTIAL and time.time() - status.st_mtime > PARTIAL_LIFETIME:
                path.unlink()
    excess = sum(size for _, size, _ in entries) - limit
    for _, size, path in sorted(entries):
        if excess <= 0:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            excess -= size


def _begin(file, begun: bytes, size: int) -> None:
    file.write(begun)
    file.truncate(size)
