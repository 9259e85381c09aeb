"""MNIST: 70,000 grey pictures of 28 x 28 pixels, the digits 0 to 9, from the address that Keras fetches it from.

`read_folder` reads it, and any set of its form, from IDX files: Fashion-MNIST, KMNIST, EMNIST.

Source: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minicnn.data.problems import printable
from minicnn.datasets.idx import read_idx
from minicnn.errors import FileAccessError, FileFormatError
from minicnn.weights.fetch import fetch

CLASS_NAMES = tuple("0123456789")
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

Arrays = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)), fetched once and then read from the cache.

    Returns
    -------
    tuple
        x uint8 (N, 28, 28), y uint8 (N,); N is 60,000 for training and 10,000 for testing.

    Raises
    ------
    DownloadError
        The file cannot be fetched or is not the published one; the message says where to put it by hand.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_data()      # doctest: +SKIP
    >>> x_train.shape, y_train.shape                            # doctest: +SKIP
    ((60000, 28, 28), (60000,))
    """
    path = fetch(URL, "mnist.npz", SHA256, "datasets")
    try:
        with np.load(path, allow_pickle=False) as file:
            train, test = ((file[f"x_{part}"], file[f"y_{part}"]) for part in ("train", "test"))
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path} is no NumPy file with x_train, y_train, x_test, y_test ({error})") from None
    return checked(*train, str(path)), checked(*test, str(path))


def read_folder(folder: str | Path) -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)) of a folder with the four IDX files of a set, packed by gzip or not.

    They are called train-images-idx3-ubyte, train-labels-idx1-ubyte, and t10k- or test- the same, with or without .gz;
    something before that, as EMNIST has it, is allowed.

    Returns
    -------
    tuple
        x uint8 (N, H, W), y uint8 (N,).

    Raises
    ------
    FileAccessError, FileFormatError
        A file that is missing, damaged, or does not fit its fellow.
    """
    folder = Path(folder)
    return _part(folder, ("train",)), _part(folder, ("t10k", "test"))


def _part(folder: Path, names: Sequence[str]) -> Arrays:
    """(x, y) of the part that is called by one of these names."""
    images, labels = (_find(folder, names, what) for what in ("images", "labels"))
    return checked(read_idx(images), read_idx(labels), str(images))


def _find(folder: Path, names: Sequence[str], what: str) -> Path:
    digits = {"images": 3, "labels": 1}[what]
    endings = [f"{name}-{what}{dot}idx{digits}-ubyte{gz}" for name in names for dot in "-." for gz in ("", ".gz")]
    try:
        here = sorted(file for file in folder.iterdir() if file.name.endswith(tuple(endings)))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise FileAccessError(f"{printable(folder)} cannot be read ({reason}): name the folder of the files") from None
    if len(here) != 1:
        found = "has none" if not here else f"has {len(here)} files like it, {here[0].name} and {here[1].name}"
        raise FileAccessError(f"{folder} {found}: {endings[0]} or {endings[1]} is needed, once")
    return here[0]


def checked(x: np.ndarray, y: np.ndarray, source: str) -> Arrays:
    """Pictures and their labels, when they are."""
    if x.dtype != np.uint8 or x.ndim != 3 or y.dtype.kind not in "iu" or y.shape != x.shape[:1]:
        raise FileFormatError(
            f"{source}: pictures are uint8 (N,H,W) with N labels; these are {x.dtype} {x.shape} and {y.dtype} {y.shape}"
        )
    return x, y
