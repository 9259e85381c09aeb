"""Fashion-MNIST: 70,000 grey pictures of 28 x 28 pixels, ten kinds of clothes, from the address Keras fetches it from.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", 2017.
"""

from pathlib import Path

from minicnn.datasets.idx import read_idx
from minicnn.datasets.mnist import Arrays, checked
from minicnn.weights.fetch import fetch

CLASS_NAMES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
FILES = (
    "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)  # fmt: skip


def load_data() -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)) of the same shapes as `mnist.load_data`, fetched and kept like them.

    Raises
    ------
    DownloadError
        A file cannot be fetched; the message says where to put it by hand.  No hashes are published for them.

    Examples
    --------
    >>> load_data()[1][0].shape              # doctest: +SKIP
    (10000, 28, 28)
    """
    paths = [fetch(URL + name, name, None, "datasets/fashion-mnist", _check) for name in FILES]
    arrays = [read_idx(path) for path in paths]
    return checked(arrays[0], arrays[1], str(paths[0])), checked(arrays[2], arrays[3], str(paths[2]))


def _check(path: Path) -> None:
    read_idx(path)
