"""Open a weights file: its format is told by its contents, never by its name."""

import os

from minicnn.errors import ArgumentError, FileFormatError

from .archive import read_archive
from .entries import WeightFile
from .hdf5 import HDF5File, is_hdf5
from .hdf5.source import Source
from .keras3 import is_keras3, read_keras3
from .legacy import is_legacy, read_legacy
from .others import what_it_is
from .safetensors import is_safetensors
from .state_dict import read_safetensors


def open_weights(path: str | os.PathLike) -> WeightFile:
    """Describe a weights file: legacy h5 (weights or full model), Keras 3 `.weights.h5`, `.keras`, or safetensors.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    WeightFile
        Use it in a `with` block; nothing but names, shapes and configs has been read.

    Raises
    ------
    ArgumentError
        No path.
    FileAccessError
        The file does not exist or cannot be read.
    FileFormatError
        It is no weights file, is damaged, or holds something that no Keras file needs
        (links to other files, compound types, unknown filters, ...).

    Examples
    --------
    >>> with open_weights("vgg16.h5") as file:                                  # doctest: +SKIP
    ...     print(file.format, [layer.name for layer in file.layers])
    """
    if not isinstance(path, str | bytes | os.PathLike):
        raise ArgumentError(f"weights are read from a file, which is named by its path; got {path!r}")
    name = os.fsdecode(path)
    source = Source.open(name)
    try:
        head = source.read(0, min(64, source.size))
        if head.startswith(b"PK\x03\x04"):
            return read_archive(source.file, name)
        if is_safetensors(head):
            return _read_safetensors(name)
        if not is_hdf5(source):
            raise FileFormatError(f"{name} is {what_it_is(head, name, source.size)}")
    finally:
        source.close()
    file = HDF5File(name)
    try:
        return _read_hdf5(file, name)
    except BaseException:
        file.close()
        raise


def _read_hdf5(file: HDF5File, name: str) -> WeightFile:
    if is_legacy(file.root):
        return read_legacy(file, name)
    if is_keras3(file.root):
        return read_keras3(file, name)
    raise FileFormatError(
        f"{name} is HDF5 but no Keras file: it has no layer_names, no model_config and no group 'layers'"
    )


def _read_safetensors(name: str) -> WeightFile:
    source = Source.open(name)
    try:
        return read_safetensors(source, name)
    except BaseException:
        source.close()
        raise
