"""Write HDF5 files with h5py; the only module that imports it."""

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, MissingExtraError

MAX_ATTRIBUTE = 64512  # bytes of an array in one attribute: HDF5's limit for an object header, as Keras counts it


class _Sink(io.FileIO):
    """A file whose writes never fail, as far as HDF5 can see: it cannot back out of a failed one, and would crash.

    What follows a failure is dropped, and `error` says what it was.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while rest and self.error is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0


class HDF5Writer:
    """A new HDF5 file; use it in a `with` block.

    Parameters
    ----------
    path : path
        Overwritten when it exists.

    Raises
    ------
    OSError
        The file cannot be written, now or in any method: disk full, no permission.
    MissingExtraError
        h5py is not installed.
    """

    def __init__(self, path: str | os.PathLike):
        try:
            import h5py
        except ImportError:
            raise MissingExtraError("h5py", None, "writing Keras files") from None
        self._sink = _Sink(os.fspath(path), "w+")
        self._file = self._guarded(h5py.File, self._sink, "w")

    def __enter__(self) -> "HDF5Writer":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._guarded(self._file.close)
        finally:
            self._sink.close()

    def _guarded(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Call h5py; all its ways to say "cannot write" become OSError."""
        try:
            result = function(*arguments, **options)
        except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
            raise self._sink.error or OSError(str(error)) from error
        if self._sink.error is not None:
            raise self._sink.error
        return result

    def group(self, path: str) -> None:
        """Make a group, and those above it."""
        self._guarded(self._file.require_group, path)

    def dataset(self, path: str, array: np.ndarray) -> None:
        """Store an array in one piece."""
        self._guarded(self._file.create_dataset, path, data=np.asarray(array))

    def text(self, path: str, name: str, value: str) -> None:
        """A string attribute of the group at `path`."""
        self._guarded(self._file[path].attrs.__setitem__, name, value)

    def names(self, path: str, name: str, values: Sequence[str]) -> None:
        """A list of names; one that is too long for an attribute becomes name0, name1, ... as in Keras."""
        encoded = [value.encode() for value in values]
        longest = max(map(len, encoded), default=0)
        if longest > MAX_ATTRIBUTE:
            raise ArgumentError(f"a layer or weight name has {longest} bytes, HDF5 takes at most {MAX_ATTRIBUTE}")
        attributes = self._file[path].attrs
        pieces = 1
        while any(len(piece) * longest > MAX_ATTRIBUTE for piece in np.array_split(encoded, pieces)):
            pieces += 1
        for i, piece in enumerate(np.array_split(np.array(encoded, f"S{longest or 1}"), pieces)):
            self._guarded(attributes.__setitem__, name if pieces == 1 else f"{name}{i}", piece)
