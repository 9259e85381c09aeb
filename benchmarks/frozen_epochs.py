"""Later epochs on a frozen base, against a head alone on features made before: results/frozen_epochs.json.

    python -m benchmarks.frozen_epochs PHOTOS

The base never changes, so `fit` computes its output once for each image and keeps it: later epochs train the head.
VGG16 has random weights, which take the same time; the images are photos, or noise where no folder is named.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.applications import VGG16
from minicnn.applications.vgg import preprocess_input
from minicnn.callbacks import Callback
from minicnn.data import ResizeRule, load_images, scan_folder
from minicnn.layers import Dense, Flatten, Input, Layer
from minicnn.models import Model, Sequential

from .measuring import command_line, conclude

CLASSES = 10


class EpochSeconds(Callback):
    """Seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seconds.append(time.perf_counter() - self.begun)


def head() -> list[Layer]:
    return [Flatten(), Dense(256, activation="relu"), Dense(CLASSES, activation="softmax")]


def epochs(model: Model, x: np.ndarray, y: np.ndarray, count: int) -> list[float]:
    """Seconds of each of `count` epochs."""
    clock = EpochSeconds()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=count, verbose=0, callbacks=[clock])
    return clock.seconds


def pictures(folder: Path | None, count: int, size: int) -> np.ndarray:
    """So many images (N,S,S,3) as VGG16 takes them, photos evenly over the folder."""
    if folder is None:
        return np.random.default_rng(0).random((count, size, size, 3), np.float32)
    files = scan_folder(folder).files
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, count).astype(int)]
    return preprocess_input(load_images(chosen, ResizeRule(size)).images)


def measure(x: np.ndarray, count: int, rounds: int) -> dict[str, Any]:
    """Both ways in turns, `rounds` times; of each epoch its median over the rounds."""
    y = np.arange(len(x)) % CLASSES
    base = VGG16(weights=None, include_top=False, input_shape=x.shape[1:])
    base.trainable = False
    features = base.predict(x)
    kept, alone = [], []
    for _ in range(rounds):
        kept.append(epochs(Sequential([base, *head()]), x, y, count))
        alone += epochs(Sequential([Input(features.shape[1:]), *head()]), features, y, count)[1:]
    first, *later = [statistics.median(seconds) for seconds in zip(*kept)]
    alone = statistics.median(alone)
    seconds = {"first": first, "later": statistics.median(later), "slowest": max(later), "head_alone": alone}
    return {
        **{f"{name}_seconds": round(value, 5) for name, value in seconds.items()},
        "ratio": round(seconds["later"] / alone, 3),
        "slowest_ratio": round(seconds["slowest"] / alone, 3),
        "epoch_ratios": [round(value / alone, 2) for value in later],
        "images": len(x),
        "size": x.shape[1],
        "epochs": count,
    }


def main(argv: list[str] | None = None) -> int:
    parser = command_line("frozen_epochs", __doc__)
    parser.add_argument("photos", type=Path, nargs="?", help="folder of pictures, a class a folder")
    parser.add_argument("--size", type=int, default=224, help="side of the images (default 224)")
    parser.add_argument("--images", type=int, default=500, help="size of the data set (default 500)")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of each fit (default 20)")
    parser.add_argument("--rounds", type=int, default=3, help="fits of each kind (default 3)")
    options = parser.parse_args(argv)
    result = measure(pictures(options.photos, options.images, options.size), options.epochs, options.rounds)
    return conclude("frozen_epochs", result, options.out)


if __name__ == "__main__":
    sys.exit(main())
