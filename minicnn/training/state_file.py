"""A state of training in one file: a safetensors file with the arrays, plain data as text, and a digest of both.

Source of the format: minicnn/weights/safetensors.py.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np

from minicnn.errors import FileFormatError
from minicnn.training.plain import pack, unpack
from minicnn.weights import safetensors
from minicnn.weights.hdf5.source import Source

MARK, FORMAT, DIGEST = "minicnn_training_state", "1", "digest"
TEXT = "state"  # bytes of the plain data


def write_state(path: str | os.PathLike, state: Any) -> None:
    """Write plain data to a file, whole or not at all.

    Raises
    ------
    ArgumentError
        Something in it is not plain.
    FileAccessError
        The file cannot be written; one that was there is kept.
    """
    text, arrays = pack(state)
    named = {TEXT: np.frombuffer(text.encode(), np.uint8), **{str(i): array for i, array in enumerate(arrays)}}
    safetensors.write(path, named, {MARK: FORMAT, DIGEST: _digest(named)})


def read_state(path: str | os.PathLike) -> Any:
    """What `write_state` wrote; no more is read into memory than the file has.

    Raises
    ------
    FileAccessError
        The file is missing or cannot be read.
    FileFormatError
        It is damaged: not every bit is what was written; or it is another file.
    """
    with closing(Source.open(path)) as source:
        tensors, metadata = safetensors.read_header(source)
        if metadata.get(MARK) != FORMAT:
            raise FileFormatError(f"{path} is no state of a training that this version of minicnn wrote")
        found = {t.name: safetensors.reader(source, t)(t.shape, safetensors.TYPES[t.dtype]) for t in tensors}
    names = [TEXT, *map(str, range(len(found) - 1))]
    if set(names) != found.keys() or metadata.get(DIGEST) != _digest({name: found[name] for name in names}):
        raise FileFormatError(f"{path} is damaged: its contents are not those that were written")
    return unpack(found[TEXT].tobytes().decode(), [found[name] for name in names[1:]])


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Of the types, shapes and numbers of arrays, in this order."""
    found = hashlib.blake2b(digest_size=16)
    for array in arrays.values():
        found.update(f"{array.dtype.newbyteorder('=')}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()
