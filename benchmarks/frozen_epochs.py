"""Later epochs on a frozen base, against a head alone on features made before: results/frozen_epochs.json.

    python -m benchmarks.frozen_epochs --images 256

The base never changes, so `fit` computes its output once for each image and keeps it: later epochs train the head.
"""

import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from minicnn.applications import VGG16
from minicnn.callbacks import Callback
from minicnn.layers import Dense, Flatten, Input, Layer
from minicnn.models import Model, Sequential

from .measuring import command_line, save

SIZE, CLASSES = 64, 10


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


def measure(images: int, count: int, rounds: int) -> dict[str, Any]:
    """Both ways in turns, `rounds` times."""
    x = np.random.default_rng(0).random((images, SIZE, SIZE, 3), np.float32)
    y = np.arange(images) % CLASSES
    base = VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    base.trainable = False
    features = base.predict(x)
    first, later, alone = [], [], []
    for _ in range(rounds):
        seconds = epochs(Sequential([base, *head()]), x, y, count)
        first.append(seconds[0])
        later += seconds[1:]
        alone += epochs(Sequential([Input(features.shape[1:]), *head()]), features, y, count)[1:]
    medians = {name: statistics.median(s) for name, s in (("first", first), ("later", later), ("head_alone", alone))}
    rounded = {f"{name}_seconds": round(value, 5) for name, value in medians.items()}
    return {**rounded, "ratio": round(medians["later"] / medians["head_alone"], 3), "images": images, "size": SIZE}


def main(argv: list[str] | None = None) -> int:
    parser = command_line("frozen_epochs", __doc__)
    parser.add_argument("--images", type=int, default=512, help="size of the data set (default 512)")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of each fit (default 8)")
    parser.add_argument("--rounds", type=int, default=3, help="fits of each kind (default 3)")
    options = parser.parse_args(argv)
    result = measure(options.images, options.epochs, options.rounds)
    print(json.dumps(result), file=sys.stderr)
    save("frozen_epochs", result, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
