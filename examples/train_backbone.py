"""Train the small residual net that `minicnn demo` transfers: CIFAR-10's classes, 32x32 pictures, flips and crops.

    python examples/train_backbone.py cifar10_subset.npz --out weights/bundled/cifar10_resnet.keras

The data is an npz with uint8 x_train, x_test (N,32,32,3) and y_train, y_test (N,).  The learning rate follows one
cycle: up, then down to nothing along a cosine.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from minicnn.callbacks import Callback
from minicnn.cli.ending import exit_code
from minicnn.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    SymbolicTensor,
)
from minicnn.models import Model
from minicnn.optimizers import SGD
from minicnn.schedules import CosineDecay
from minicnn.utils import set_random_seed

STAGES = ((32, 1), (64, 2), (128, 1))  # filters, blocks
REGULARIZER = {"class_name": "L2", "config": {"l2": 5e-4}}
PAD = 4


def conv_bn(x: SymbolicTensor, filters: int, size: int, name: str, strides: int = 1) -> SymbolicTensor:
    """A convolution without bias and its batch normalisation."""
    options = {"use_bias": False, "kernel_initializer": "he_normal", "kernel_regularizer": REGULARIZER}
    x = Conv2D(filters, size, strides=strides, padding="same", name=f"{name}_conv", **options)(x)
    return BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)


def block(x: SymbolicTensor, filters: int, strides: int, name: str) -> SymbolicTensor:
    """Two 3x3 convolutions with a shortcut around them."""
    shortcut = conv_bn(x, filters, 1, f"{name}_0", strides) if strides > 1 else x
    x = Activation("relu", name=f"{name}_1_relu")(conv_bn(x, filters, 3, f"{name}_1", strides))
    x = Add(name=f"{name}_add")([shortcut, conv_bn(x, filters, 3, f"{name}_2")])
    return Activation("relu", name=f"{name}_out")(x)


def backbone(classes: int = 10) -> Model:
    """The net: a stem, stages at 32, 16 and 8 pixels, the mean of what is left, and a classifier."""
    inputs = Input((32, 32, 3), name="image")
    x = Activation("relu", name="stem_relu")(conv_bn(inputs, STAGES[0][0], 3, "stem"))
    for stage, (filters, blocks) in enumerate(STAGES, 1):
        for number in range(1, blocks + 1):
            x = block(x, filters, 2 if stage > 1 and number == 1 else 1, f"stage{stage}_block{number}")
    x = GlobalAveragePooling2D(name="features")(x)
    return Model(inputs, Dense(classes, activation="softmax", name="classes")(x), name="cifar10_resnet")


def augmented(x: np.ndarray, y: np.ndarray, batch_size: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Endless batches of shuffled pictures, each flipped or not and cut from its padded self at a random place."""
    generator = np.random.default_rng(seed)
    padded = np.pad(x, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)), mode="reflect")
    while True:
        order = generator.permutation(len(x))
        for start in range(0, len(x) - batch_size + 1, batch_size):
            rows = order[start : start + batch_size]
            places = generator.integers(0, 2 * PAD + 1, (batch_size, 2))
            pictures = np.stack([padded[r, i : i + 32, j : j + 32] for r, (i, j) in zip(rows, places)])
            flips = generator.random(batch_size) < 0.5
            pictures[flips] = pictures[flips, :, ::-1]
            yield scale(pictures), y[rows]


def scale(x: np.ndarray) -> np.ndarray:
    """uint8 pictures as network input in [-1, 1]."""
    return x.astype(np.float32) / np.float32(127.5) - np.float32(1)


class Log(Callback):
    """One line an epoch, on the screen and in the log file."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.began = path, time.perf_counter()
        path.write_text("")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        figures = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        line = f"epoch {epoch + 1:3d}  {time.perf_counter() - self.began:6.0f} s  {figures}"
        print(line, flush=True)
        with self.path.open("a") as file:
            file.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="npz with x_train, y_train, x_test, y_test")
    parser.add_argument("--out", type=Path, required=True, help="model to write (.keras); the log goes beside it")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--learning-rate", type=float, default=0.1, help="the peak of the cycle")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not args.data.is_file():
        parser.error(f"{args.data} is no file: name an npz with pictures")

    set_random_seed(args.seed)
    with np.load(args.data) as file:
        x, y, x_test, y_test = (file[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    steps = len(x) // args.batch_size
    warm_up = steps * args.epochs // 5
    rate = CosineDecay(
        args.learning_rate / 10,
        steps * args.epochs - warm_up,
        alpha=0.0,
        warmup_target=args.learning_rate,
        warmup_steps=warm_up,
    )
    model = backbone()
    model.compile(SGD(rate, momentum=0.9, nesterov=True), "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(
        augmented(x, y, args.batch_size, args.seed),
        epochs=args.epochs,
        steps_per_epoch=steps,
        validation_data=(scale(x_test), y_test),
        validation_freq=max(1, args.epochs // 10),
        callbacks=[Log(args.out.with_suffix(".log"))],
        verbose=0,
    )
    model.metadata = {"preprocessing": "tf"}
    model.save(args.out)


if __name__ == "__main__":
    sys.exit(exit_code(main))
