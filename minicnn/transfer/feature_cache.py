"""Arrays kept on disk under the hash of everything they were computed from: a safe, bounded cache.

A file holds a mark, the SHA-256 of the rest, and the rest: an array in NumPy's own format.  A file is written
beside its place and renamed into it, so that processes which share the cache see whole files only; a file that is
damaged or gone counts as not there.  When the files outgrow the limit, those unused for longest are removed.
"""

import contextlib
import hashlib
import io
import os
import warnings
from pathlib import Path

import numpy as np

from minicnn.data.problems import printable
from minicnn.errors import FileAccessError
from minicnn.models.feature_file import DEFAULT_LIMIT, SUFFIX, trim
from minicnn.weights.atomic import replacing

MARK = b"minicnn1"


class FeatureCache:
    """
    A folder of arrays; reading, writing and trimming never raise for what happens to the files.

    Parameters
    ----------
    folder : path
        Made when the first array is kept.
    limit : int
        Bytes that all files together may take.

    Raises
    ------
    FileAccessError
        No folder can be called so.

    Examples
    --------
    >>> import tempfile
    >>> cache = FeatureCache(Path(tempfile.mkdtemp()))
    >>> cache.get("ab" * 32) is None
    True
    >>> cache.put("ab" * 32, np.arange(3.0))
    >>> cache.get("ab" * 32)
    array([0., 1., 2.])
    """

    def __init__(self, folder: str | Path, limit: int = DEFAULT_LIMIT):
        self.folder = Path(folder)
        if "\0" in os.fspath(folder):
            raise FileAccessError(f"{printable(self.folder)} cannot be the name of a folder: it has a NUL character")
        self.limit = limit
        self.writable = True

    def get(self, key: str) -> np.ndarray | None:
        """The array of this key, or None when there is none or its file is damaged."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        array = decode(data)
        with contextlib.suppress(OSError):
            if array is None:
                path.unlink()
            else:
                os.utime(path)  # its time of last use
        return array

    def put(self, key: str, array: np.ndarray) -> None:
        """Keep an array; a folder that cannot be written is mentioned once and then left alone."""
        if not self.writable:
            return
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_bytes(encode(array))
        except OSError as error:
            self.give_up(error)

    def keys(self, beginning: str) -> list[str]:
        """The keys of arrays that begin so; of two letters at least."""
        with contextlib.suppress(OSError):  # a name that is too long
            return sorted(path.stem for path in (self.folder / beginning[:2]).glob(f"{beginning}*{SUFFIX}"))
        return []

    def give_up(self, error: OSError) -> None:
        """The folder cannot be written: say so, and leave it alone from now on."""
        self.writable = False
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        warnings.warn(f"features are not cached in {self.folder}: {cause.strerror or cause}", stacklevel=3)

    def trim(self) -> None:
        """Remove the files that were unused for longest until the rest is within the limit."""
        trim(self.folder, self.limit)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{SUFFIX}"


def encode(array: np.ndarray) -> bytes:
    """The bytes of a cache file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    body = stream.getvalue()
    return MARK + hashlib.sha256(body).digest() + body


def decode(data: bytes) -> np.ndarray | None:
    """The array in the bytes of a cache file, or None when they are not what `encode` wrote."""
    start = len(MARK) + 32
    body = data[start:]
    if data[: len(MARK)] != MARK or hashlib.sha256(body).digest() != data[len(MARK) : start]:
        return None
    return np.load(io.BytesIO(body), allow_pickle=False)
