"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels in ten classes, from its published address.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from pathlib import Path

from minicnn.datasets.cifar import Arrays, Layout, read
from minicnn.weights.fetch import fetch

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"

_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_LAYOUT = Layout("CIFAR-10", _TRAIN, ("test_batch",), ("labels",), (10,), 64 * 2**20)


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
    return read_archive(fetch(URL, "cifar-10-python.tar.gz", SHA256, "datasets"))


def read_archive(path: str | Path) -> tuple[Arrays, Arrays]:
    """The arrays of a `cifar-10-python.tar.gz` or `cifar-10-binary.tar.gz`, or of the folder that one was unpacked to.

    Raises
    ------
    FileFormatError
        Damaged, or not an archive of this shape.
    """
    return read(Path(path), _LAYOUT, "labels")
