"""Write HDF5 files with h5py; the only module that imports it."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, MissingExtraError

MAX_ATTRIBUTE = 64512  # bytes of an array in one attribute: HDF5's limit for an object header, as Keras counts it


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
            raise MissingExtraError("h5py", "all", "writing Keras files") from None
        self._file = self._guarded(h5py.File, os.fspath(path), "w", locking=False)

    def __enter__(self) -> "HDF5Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._guarded(self._file.close)

    def _guarded(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Call h5py; all its ways to say "cannot write" become OSError."""
        try:
            return function(*arguments, **options)
        except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
            raise OSError(str(error)) from error

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
