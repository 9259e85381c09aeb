"""The tutorial that everyone knows, as a whole process, against Keras on TensorFlow: results/tutorial.json.

    python -m benchmarks.tutorial --peer-python ../keras-env/bin/python

A frozen VGG16 base with weights from a file, a new head, 1,000 pictures of 32 x 32 with 10 classes, 10 epochs with 200
pictures to validate: one program, whose imports alone differ.  What counts is the time from the start of the process
to its end; a first start of minicnn, with no compiled kernel on disk, is told apart.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from minicnn.applications import VGG16
from minicnn.bench.engines import version_of
from minicnn.bench.networks import draw
from minicnn.bench.timing import median, quartiles

from .measuring import command_line, conclude

ROOT = Path(__file__).parents[1]
PROGRAM = """
import json, sys
import numpy as np
from {package}.applications import VGG16
from {package}.layers import Dense, Flatten
from {package}.models import Sequential
from {package}.utils import to_categorical

generator = np.random.default_rng(0)
labels = generator.integers(0, 10, 1200)
x = generator.normal(labels[:, None, None, None] / 10, 1, (1200, 32, 32, 3)).astype("float32")
y = to_categorical(labels, 10)
base = VGG16(weights=sys.argv[1], include_top=False, input_shape=(32, 32, 3))
base.trainable = False
model = Sequential([base, Flatten(), Dense(256, activation="relu"), Dense(10, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
validation = x[1000:], y[1000:]
history = model.fit(x[:1000], y[:1000], epochs=int(sys.argv[2]), batch_size=32, validation_data=validation, verbose=0)
print(json.dumps([float(value) for value in history.history["loss"]]))
"""


def run(python: str, package: str, weights: Path, epochs: int, **variables: str) -> tuple[float, list[float]]:
    """(seconds of the whole process, the loss of each epoch)."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT), **variables}
    command = [python, "-W", "ignore", "-c", PROGRAM.format(package=package), str(weights), str(epochs)]
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{package} fails: {done.stderr[-2000:]}")
    return seconds, json.loads(done.stdout.splitlines()[-1])


def measure(python: str | None, epochs: int, rounds: int) -> dict[str, Any]:
    """Seconds of both in turns, after a first start of each."""
    pythons = {"minicnn": sys.executable} | ({"keras": python} if python else {})
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "vgg16_notop.weights.h5"
        base = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
        draw(base)
        base.save_weights(weights)
        with tempfile.TemporaryDirectory() as cache:
            first, _ = run(sys.executable, "minicnn", weights, epochs, MINICNN_CACHE=cache)
        found = {package: [run(where, package, weights, epochs)] for package, where in pythons.items()}
        for _ in range(rounds):
            for package, where in pythons.items():
                found[package].append(run(where, package, weights, epochs))
    times = {package: [seconds for seconds, _ in runs[1:]] for package, runs in found.items()}
    medians = {package: median(values) for package, values in times.items()}
    return {
        "epochs": epochs,
        "rounds": rounds,
        "first_seconds": round(first, 3),
        "seconds": medians,
        "quartiles": {package: quartiles(values) for package, values in times.items()},
        "losses": {package: runs[0][1] for package, runs in found.items()},
        "ratio": round(medians["keras"] / medians["minicnn"], 3) if python else None,
    }


def main(argv: list[str] | None = None) -> int:
    parser = command_line("tutorial", __doc__)
    parser.add_argument("--peer-python", metavar="PATH", help="a Python that can import keras and tensorflow")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of the fit (default 10)")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each (default 5)")
    options = parser.parse_args(argv)
    names = ("keras", "tensorflow") if options.peer_python else ()
    versions = {package: version_of(package, options.peer_python) for package in names}
    result = measure(options.peer_python, options.epochs, options.rounds)
    return conclude("tutorial", {**versions, **result}, options.out)


if __name__ == "__main__":
    sys.exit(main())
