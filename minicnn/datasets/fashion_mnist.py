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
    """((x_train, y_train), (x_test, y_test)), fetched once and then read from the cache.

    Returns
    -------
    tuple
        x uint8 (N, 28, 28), y uint8 (N,); N is 60,000 for training and 10,000 for testing.

    Raises
    ------
    DownloadError
        A file cannot be fetched; the message says where to put it by hand.  No hashes are published for them.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_data()      # doctest: +SKIP
    >>> x_train.shape, y_train.shape                            # doctest: +SKIP
    ((60000, 28, 28), (60000,))
    """
    paths = [fetch(URL + name, name, None, "datasets/fashion-mnist", _check) for name in FILES]
    arrays = [read_idx(path) for path in paths]
    return checked(arrays[0], arrays[1], str(paths[0])), checked(arrays[2], arrays[3], str(paths[2]))


def _check(path: Path) -> None:
    read_idx(path)
