"""Train a small network on arrays, and see what it confuses.

    python examples/train_small_cnn.py --epochs 12

The pictures are six shapes, drawn by minicnn itself: nothing is downloaded.
"""

import argparse
import sys

import numpy as np

from minicnn.callbacks import EarlyStopping
from minicnn.cli.ending import exit_code
from minicnn.datasets import shapes
from minicnn.layers import BatchNormalization, Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D
from minicnn.metrics import ConfusionMatrix
from minicnn.models import Sequential
from minicnn.optimizers import Adam
from minicnn.utils import set_random_seed


def network(classes: int) -> Sequential:
    """Three convolutions, each with twice the filters on half the pixels, and a classifier on their means."""
    model = Sequential([Input((32, 32, 3))])
    for filters in (16, 32, 64):
        model.add(Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(BatchNormalization(momentum=0.9))
        model.add(MaxPooling2D())
    model.add(GlobalAveragePooling2D())
    model.add(Dense(classes, activation="softmax"))
    return model


def scaled(pixels: np.ndarray) -> np.ndarray:
    """uint8 pixels as numbers in [-1, 1]."""
    return pixels.astype(np.float32) / 127.5 - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--per-class", type=int, default=200, help="training pictures of each shape (default 200)")
    options = parser.parse_args()

    set_random_seed(0)
    (x, y), (x_test, y_test) = shapes.load_data(options.per_class, test_per_class=50)
    model = network(len(shapes.CLASS_NAMES))
    model.summary()
    model.compile(Adam(3e-3), "sparse_categorical_crossentropy", ["accuracy"])
    stop = EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True)
    model.fit(scaled(x), y, epochs=options.epochs, validation_split=0.15, callbacks=[stop], verbose=2)

    loss, accuracy = model.evaluate(scaled(x_test), y_test)
    print(f"\non {len(x_test)} new pictures: loss {loss:.3f}, accuracy {accuracy:.1%}")
    print("rows: what it is; columns: what the network says")
    table = ConfusionMatrix(len(shapes.CLASS_NAMES))(y_test, model.predict(scaled(x_test)))
    for name, row in zip(shapes.CLASS_NAMES, table, strict=True):
        print(f"{name:>9}", *(f"{count:4d}" for count in row))


if __name__ == "__main__":
    sys.exit(exit_code(main))
