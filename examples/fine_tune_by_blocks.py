"""Freeze a trained VGG16, train a head, then unfreeze one block after another from the top, with ever smaller steps.

    python examples/fine_tune_by_blocks.py                        downloads the published weights once
    python examples/fine_tune_by_blocks.py --weights vgg16.h5     a file that you have, with or without the top

The flag `trainable` is read at every step of training: there is no second `compile` to forget.
"""

import argparse
import sys

from minicnn.applications import VGG16
from minicnn.applications.vgg import preprocess_input
from minicnn.cli.ending import exit_code
from minicnn.datasets import shapes
from minicnn.layers import Dense, GlobalAveragePooling2D
from minicnn.models import Sequential
from minicnn.optimizers import SGD, Adam
from minicnn.transfer import freeze, unfreeze
from minicnn.utils import set_random_seed

STEPS = (("block5", 1e-3), ("block4", 3e-4))  # unfreeze from here on, learning rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="imagenet", help="a weights file of VGG16 (default: the published one)")
    parser.add_argument("--epochs", type=int, default=5, help="of each stage (default 5)")
    parser.add_argument("--per-class", type=int, default=40, help="training pictures of each shape (default 40)")
    options = parser.parse_args()

    set_random_seed(0)
    (x, y), (x_test, y_test) = shapes.load_data(options.per_class, size=48)
    x, x_test = preprocess_input(x), preprocess_input(x_test)

    base = VGG16(weights=options.weights, include_top=False, input_shape=(48, 48, 3))
    model = Sequential([base, GlobalAveragePooling2D(), Dense(len(shapes.CLASS_NAMES), activation="softmax")])

    def train(stage: str, optimizer: object) -> None:
        model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
        model.fit(x, y, epochs=options.epochs, verbose=0)
        trainable = sum(weight.array.size for weight in model.trainable_weights)
        print(f"{stage:12} {trainable:>10,} weights trained, accuracy {model.evaluate(x_test, y_test)[1]:.1%}")

    freeze(base)
    train("head", Adam(1e-2))
    for layer, rate in STEPS:
        unfreeze(base, from_layer=layer)
        train(f"+ {layer}", SGD(rate, momentum=0.9))


if __name__ == "__main__":
    sys.exit(exit_code(main))
