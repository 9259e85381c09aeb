"""CIFAR-100: 60,000 colour pictures of 32 x 32 pixels in 100 classes, which make 20 kinds, from its published address.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from pathlib import Path

from minicnn.arguments import one_of
from minicnn.datasets.cifar import Arrays, Layout, read
from minicnn.weights.fetch import fetch

CLASS_NAMES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
)  # fmt: skip
KINDS = (
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables", "household_electrical_devices",
    "household_furniture", "insects", "large_carnivores", "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes", "large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates",
    "people", "reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2",
)  # fmt: skip
URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"

_LAYOUT = Layout("CIFAR-100", ("train",), ("test",), ("coarse_labels", "fine_labels"), (20, 100), 256 * 2**20)


def load_data(label_mode: str = "fine") -> tuple[Arrays, Arrays]:
    """((x_train, y_train), (x_test, y_test)) of the same shapes as `cifar10.load_data`, fetched and kept like them.

    Parameters
    ----------
    label_mode
        "fine": the 100 classes of CLASS_NAMES; "coarse": their 20 KINDS.

    Raises
    ------
    ArgumentError, DownloadError

    Examples
    --------
    >>> load_data("coarse")[0][1].max()      # doctest: +SKIP
    19
    """
    one_of("load_data", "label_mode", label_mode, ("fine", "coarse"))
    return read_archive(fetch(URL, "cifar-100-python.tar.gz", SHA256, "datasets"), label_mode)


def read_archive(path: str | Path, label_mode: str = "fine") -> tuple[Arrays, Arrays]:
    """The arrays of a `cifar-100-python.tar.gz` or `cifar-100-binary.tar.gz`, or of the folder one was unpacked to.

    Raises
    ------
    FileFormatError
        Damaged, or not an archive of this shape.
    """
    mode = one_of("read_archive", "label_mode", label_mode, ("fine", "coarse"))
    return read(Path(path), _LAYOUT, f"{mode}_labels")
