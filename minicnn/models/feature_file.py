"""Features of N samples in one file that is mapped into memory, for those that memory would not hold.

    mark | N digests of 32 bytes | N rows, each with the outputs of one sample

A row is written before its digest, and is there when the digest is right: what a killed process left half-written, or
what was damaged later, counts as not there.  The name of a file is the hash of everything that decides what is in it,
so processes that share one write the same rows.  A file that is removed while it is mapped stays for those who map it.
"""

import contextlib
import hashlib
import mmap
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.weights.atomic import replacing
from minicnn.weights.fetch import cache_folder

from .memory import in_words

MARK = b"minicnn rows 1".ljust(64, b"\0")
SUFFIX = ".features"
PARTIAL = ".tmp"
PARTIAL_LIFETIME = 3600.0
DEFAULT_LIMIT = 4 * 2**30
DIGEST, ALIGNMENT, PAGE = 32, 16, 4096


def features_folder() -> Path:
    """Where features are kept in the user's cache folder."""
    return cache_folder() / "features"


class FeatureFile:
    """
    Rows of features, written once and read often.

    Parameters
    ----------
    like : list of arrays (B,...)
        Features of some samples, which say type and shape of a row.
    samples : int
        N.
    key : str or None
        The hash of what decides the features; with None the file has no name, and is gone with this object.
    folder : path, optional
        The one of the user's cache when None.
    limit : int
        Bytes that all files in the folder together may take; those unused for longest are removed.

    Attributes
    ----------
    arrays : list of arrays (N,...)
        The rows as they lie in the file, read when they are used; only those that `missing` does not name are features.

    Raises
    ------
    OSError, FileAccessError
        There is no room, or the folder cannot be written.
    """

    def __init__(
        self,
        like: Sequence[np.ndarray],
        samples: int,
        key: str | None,
        folder: Path | None = None,
        limit: int = DEFAULT_LIMIT,
    ):
        self.folder, self._key = folder or features_folder(), (key or "").encode()
        sizes = [-(-array[:1].nbytes // ALIGNMENT) * ALIGNMENT for array in like]
        self._offsets, self._stride = np.cumsum([0, *sizes[:-1]]).tolist(), sum(sizes)
        self._start = -(-(len(MARK) + samples * DIGEST) // PAGE) * PAGE
        size = self._start + samples * self._stride
        self.path = None if key is None else self.folder / key[:2] / f"{key}{SUFFIX}"
        self._file = self._opened(size, limit)
        weakref.finalize(self, self._file.close)
        self._map = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ)
        self._digests = np.frombuffer(self._map, np.uint8, samples * DIGEST, len(MARK)).reshape(samples, DIGEST)
        names, formats = [f"{i}" for i in range(len(like))], [(array.dtype, array.shape[1:]) for array in like]
        row = {"names": names, "formats": formats, "offsets": self._offsets, "itemsize": self._stride}
        rows = np.ndarray(samples, np.dtype(row), self._map, self._start)  # type: ignore[call-overload]
        self.arrays = [rows[name] for name in names]
        self._good = np.zeros(samples, bool)  # rows that were looked at

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
            The disk is full.
        """
        for position, row in enumerate(rows.tolist()):
            outputs = [np.ascontiguousarray(array[position]) for array in features]
            for offset, output in zip(self._offsets, outputs):
                self._put(self._start + row * self._stride + offset, output)
            self._put(len(MARK) + row * DIGEST, np.frombuffer(self._digest(row, outputs), np.uint8))
            self._good[row] = True

    def discard(self) -> None:
        """Let nobody find the file any more."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _opened(self, size: int, limit: int):
        """The file, made when it is not there, as one of zeros: without any row."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.path is not None:
            with contextlib.suppress(OSError):
                file = self.path.open("r+b", buffering=0)
                if os.fstat(file.fileno()).st_size == size and file.read(len(MARK)) == MARK:
                    os.utime(self.path)  # its time of last use
                    return file
                file.close()
        room = min(limit, shutil.disk_usage(self.folder).free)
        if size > room:
            raise OSError(f"they take {in_words(size)}, and there is room for {in_words(room)}")
        trim(self.folder, limit - size)
        if self.path is not None:
            self.path.parent.mkdir(exist_ok=True)
            with replacing(self.path) as temporary, temporary.open("wb") as file:
                _begin(file, size)
            with contextlib.suppress(FileNotFoundError):  # which another process may have removed by now
                return self.path.open("r+b", buffering=0)
        file = tempfile.TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115
        _begin(file, size)
        return file

    def _put(self, position: int, array: np.ndarray) -> None:
        self._file.seek(position)
        left = array.reshape(-1).view(np.uint8).data
        while left:
            left = left[self._file.write(left) :]

    def _digest(self, row: int, outputs: Sequence[np.ndarray]) -> bytes:
        """SHA-256 of a row, of its place, and of what the file is for."""
        digest = hashlib.sha256(self._key + row.to_bytes(8, "little"))
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


def _begin(file, size: int) -> None:
    file.write(MARK)
    file.truncate(size)
