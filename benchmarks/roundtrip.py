"""Every architecture through files and back, with Keras: results/roundtrip.json.

    python -m benchmarks.roundtrip

It runs in a Python that has Keras and TensorFlow beside minicnn.  A network of the table with random weights is saved
by minicnn, opened by Keras, saved by Keras and opened by minicnn, as .keras and as .h5; each time its predictions are
compared, and its weights, bit for bit.  The errors are relative to the length of the outputs; in deep networks with
random weights, rounding errors grow.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import applications
from minicnn.bench.networks import draw
from minicnn.models import load_model
from minicnn.weights.architectures import Architecture, architectures

from .measuring import command_line, save

SUFFIXES = (".keras", ".h5")
LEAST_SIDE = 64  # smaller pictures shrink to one pixel, which hides what happens to the others
IMAGES = 8


def measure(row: Architecture, keras: Any, folder: Path) -> list[dict[str, Any]]:
    """The errors of a network, one entry a format."""
    side = max(row.least, LEAST_SIDE)
    model = getattr(applications, row.name)(weights=None, input_shape=(side, side, 3), classes=10, **row.arguments)
    x = np.random.default_rng(1).standard_normal((IMAGES, side, side, 3), np.float32)
    draw(model, x)
    expected = model.predict(x)
    found = []
    for suffix in SUFFIXES:
        ours, theirs = folder / f"ours{suffix}", folder / f"theirs{suffix}"
        model.save(ours)
        opened = keras.models.load_model(ours, compile=False)
        opened.save(theirs)
        back = load_model(theirs)
        there, again = opened.predict(x, verbose=0), back.predict(x)
        errors = {"opened_by_keras": _error(there, expected), "and_back": _error(again, there)}
        pairs = [zip(model.get_weights(), other.get_weights(), strict=True) for other in (opened, back)]
        errors["same_weights"] = all(np.array_equal(a, b) for pair in pairs for a, b in pair)
        found.append({"model": str(row), "side": side, "format": suffix, **errors})
    return found


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def main(argv: list[str] | None = None) -> int:
    parser = command_line("roundtrip", __doc__)
    parser.add_argument("--model", action="append", metavar="NAME", help="this one alone; may be repeated")
    options = parser.parse_args(argv)
    import keras  # pyright: ignore[reportMissingImports]
    import tensorflow  # pyright: ignore[reportMissingImports]

    rows = []
    for row in architectures():
        if not options.model or row.name in options.model:
            keras.utils.clear_session()
            with tempfile.TemporaryDirectory() as folder:
                rows += measure(row, keras, Path(folder))
            print(json.dumps(rows[-2:]), file=sys.stderr, flush=True)
    save("roundtrip", {"keras": keras.__version__, "tensorflow": tensorflow.__version__, "rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
