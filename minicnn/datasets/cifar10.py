"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels in ten classes, from its published address.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import tarfile
import zlib
from pathlib import Path

import numpy as np

from minicnn.datasets.plain_pickle import read_plain_pickle
from minicnn.errors import FileFormatError
from minicnn.weights.fetch import fetch

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"

_TRAIN = [f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)]
_TEST = ["cifar-10-batches-py/test_batch"]
_MAX_MEMBERS = 64
_MAX_MEMBER_BYTES = 64 * 2**20

Arrays = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)), fetched once and then read from the cache.

    Returns
    -------
    tuple
        x uint8 (N, 32, 32, 3), y uint8 (N, 1); N is 50,000 for training and 10,000 for testing.

    Raises
    ------
    DownloadError
        The archive cannot be fetched or is not the published one; the message says where to put it by hand.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_data()      # doctest: +SKIP
    >>> x_train.shape, y_train.shape                            # doctest: +SKIP
    ((50000, 32, 32, 3), (50000, 1))
    """
    return read_archive(Path(fetch(URL, "cifar-10-python.tar.gz", SHA256, "datasets")))


def read_archive(path: str | Path) -> tuple[Arrays, Arrays]:
    """The arrays of a `cifar-10-python.tar.gz`; its pickles are read as data and nothing is unpacked to disk.

    Raises
    ------
    FileFormatError
        Damaged, or not an archive of this shape.
    """
    members = _read_members(Path(path), {*_TRAIN, *_TEST})
    batches = {name: _read_batch(data, f"{path}, {name}") for name, data in members.items()}
    return _joined([batches[name] for name in _TRAIN]), _joined([batches[name] for name in _TEST])


def _read_members(path: Path, wanted: set[str]) -> dict[str, bytes]:
    """The bytes of the wanted regular files of a tar archive, by name."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for count, member in enumerate(archive):
                if count == _MAX_MEMBERS or member.size > _MAX_MEMBER_BYTES:
                    raise FileFormatError(f"{path}: too many or too large files for a CIFAR-10 archive")
                file = archive.extractfile(member) if member.isreg() and member.name in wanted else None
                if file is not None:
                    found[member.name] = file.read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise FileFormatError(f"{path}: not a readable .tar.gz archive ({error}); remove it and try again") from None
    missing = sorted(wanted - found.keys())
    if missing:
        raise FileFormatError(f"{path}: no CIFAR-10 archive for Python, {missing[0]} is missing; remove it")
    return found


def _read_batch(data: bytes, source: str) -> Arrays:
    """x uint8 (n, 32, 32, 3) and y uint8 (n, 1) of one batch; the file has all red values first, then green, blue."""
    batch = read_plain_pickle(data, source)
    x, labels = batch.get(b"data"), batch.get(b"labels")
    if not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] != 3072:
        raise FileFormatError(f"{source}: 'data' is not an array (n, 3072)")
    if not isinstance(labels, list) or len(labels) != len(x) or not all(label in range(10) for label in labels):
        raise FileFormatError(f"{source}: 'labels' is not a list of {len(x)} numbers 0 to 9")
    pixels = np.ascontiguousarray(x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return pixels, np.array(labels, np.uint8).reshape(-1, 1)


def _joined(batches: list[Arrays]) -> Arrays:
    return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])
