"""Digits learned from one scanner, read from another, whose pictures are pale, lit from below and noisy.

    python examples/adapt_to_new_pictures.py

The digits are the 1,797 real ones that come with scikit-learn (pip install scikit-learn); the second scanner is
made up from them.  No label of the second scanner is used but to say at the end how many digits were read.
"""

import argparse
import sys

import numpy as np
from sklearn.datasets import load_digits

from minicnn.cli.ending import exit_code
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input, MaxPooling2D, ReLU
from minicnn.models import Model, Sequential
from minicnn.optimizers import Adam
from minicnn.transfer import adapt_batchnorm, coral, domain_gap, train_dann
from minicnn.transfer.head import train_head
from minicnn.utils import set_random_seed

LEARNED, SEEN = 800, 600  # pictures of the first scanner with labels, of the second without; the rest is read


def network() -> Sequential:
    """Two convolutions and two dense layers for pictures of 8 x 8 pixels."""
    model = Sequential([Input((8, 8, 1))])
    for filters in (16, 32):
        model.add(Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(BatchNormalization(momentum=0.9))
        model.add(ReLU())
        if filters == 16:
            model.add(MaxPooling2D())
    for layer in (Flatten(), Dense(32, activation="relu", name="features"), Dense(10, activation="softmax")):
        model.add(layer)
    return model


def second_scanner(pictures: np.ndarray) -> np.ndarray:
    """The same digits with less contrast, light that falls from below, and noise."""
    light = np.linspace(0, 0.7, 8, dtype=np.float32)[:, None]
    noise = np.random.default_rng(1).normal(0, 0.08, pictures.shape)
    return (0.6 * pictures + light + noise).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12, help="of each training (default 12)")
    options = parser.parse_args()

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    pictures, labels = (pixels[order].reshape(-1, 8, 8, 1) / 16).astype(np.float32), labels[order]
    x, y, y_new = pictures[:LEARNED], labels[:LEARNED], labels[LEARNED + SEEN :]
    seen, new = np.split(second_scanner(pictures[LEARNED:]), [SEEN])

    set_random_seed(0)
    model = network()
    untrained = model.get_weights()
    model.compile(Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=options.epochs, verbose=0)

    def say(what: str, probabilities: np.ndarray) -> None:
        print(f"{what:28} {(probabilities.argmax(axis=1) == y_new).mean():.1%}")

    say("first scanner", model.predict(pictures[LEARNED + SEEN :]))
    say("second scanner, as it is", model.predict(new))

    body = Model(model.inputs, model.get_layer("features").output)
    features, features_seen, features_new = (body.predict(part) for part in (x, seen, new))
    print(domain_gap(features, features_seen))
    moved = coral(features, features_seen).astype(np.float32)
    head = train_head((moved, y), (moved, y), 10, epochs=options.epochs, batch_size=32, weight_decay=0.01)
    say("second scanner, CORAL", head.probabilities(features_new))

    adapt_batchnorm(model, seen)
    say("second scanner, AdaBN", model.predict(new))
    print(domain_gap(features, body.predict(seen)))

    model.set_weights(untrained)
    train_dann(model, (x, y), seen, epochs=options.epochs)
    say("second scanner, DANN", model.predict(new))


if __name__ == "__main__":
    sys.exit(exit_code(main))
