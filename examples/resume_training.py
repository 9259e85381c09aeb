"""Train a network in a program that may be killed at any moment, and that then goes on where it was.

    python examples/resume_training.py --seed 1 --checkpoint-every 5
    python examples/resume_training.py --seed 1 --checkpoint-every 5 --resume       after Ctrl-C, kill -9, a power cut

The weights at the end are the same, bit for bit, however often it was killed: compare the digest that is printed.
"""

import argparse
import hashlib
import sys
from pathlib import Path

from minicnn.callbacks import EarlyStopping, resumable
from minicnn.cli.ending import exit_code
from minicnn.datasets import shapes
from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, GlobalAveragePooling2D, Input, MaxPooling2D
from minicnn.models import Sequential
from minicnn.optimizers import Adam


def network(classes: int) -> Sequential:
    """Two convolutions, a dropout, which draws at random, and a classifier."""
    model = Sequential([Input((32, 32, 3))])
    for filters in (16, 32):
        model.add(Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(BatchNormalization(momentum=0.9))
        model.add(MaxPooling2D())
    model.add(GlobalAveragePooling2D())
    model.add(Dropout(0.2))
    model.add(Dense(classes, activation="softmax"))
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("run"), help="the folder of this training (default run)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-every", type=int, default=10, metavar="STEPS")
    parser.add_argument("--resume", action="store_true", help="go on with the training in the folder")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--per-class", type=int, default=100, help="training pictures of each shape (default 100)")
    options = parser.parse_args()

    backup = resumable(
        options.run / "checkpoints",
        seed=options.seed,
        every=options.checkpoint_every,
        resume=options.resume,
        settings={"pictures of each shape": options.per_class},
        monitor="val_loss",
    )
    (x, y), (x_test, y_test) = shapes.load_data(options.per_class, test_per_class=20)
    x, x_test = x / 127.5 - 1, x_test / 127.5 - 1
    model = network(len(shapes.CLASS_NAMES))
    model.compile(Adam(3e-3), "sparse_categorical_crossentropy", ["accuracy"])
    stop = EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True)
    model.fit(x, y, epochs=options.epochs, validation_split=0.15, callbacks=[stop, backup], verbose=2)

    model.save(options.run / "model.keras")
    digest = hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()
    print(f"accuracy {model.evaluate(x_test, y_test)[1]:.1%}; weights {digest[:16]}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
