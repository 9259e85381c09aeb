"""From 200 photos of two classes to a classifier: the whole command, in seconds: results/two_classes.json.

    python -m benchmarks.two_classes PHOTOS MOBILENET.h5 --classes daisy rose

`minicnn finetune` with its default options, and with the last layers fine-tuned: a first run, which computes the
features of the frozen base, and later ones, which find them in the cache.  Kernels are compiled before.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from minicnn.data import scan_folder
from minicnn.weights.fetch import cache_folder

from .measuring import command_line, conclude

OPTIONS = {"head": [], "fine-tuned": ["--unfreeze", "conv_dw_12"]}


def chosen(photos: Path, classes: list[str], count: int, target: Path) -> None:
    """`count` pictures in all, of these classes alike, a folder a class."""
    folder = scan_folder(photos)
    for name in classes:
        label = list(folder.class_names).index(name)
        files = [file for file, found in zip(folder.files, folder.labels) if found == label]
        (target / name).mkdir(parents=True)
        for number, file in enumerate(files[: count // len(classes)]):
            shutil.copy(file, target / name / f"{number}{file.suffix}")


def finetune(photos: Path, weights: Path, cache: Path, options: list[str]) -> dict[str, float]:
    """Seconds of the process, and the accuracy that it reports."""
    command = [sys.executable, "-m", "minicnn", "finetune", str(photos), "--weights", str(weights.resolve()), "--json"]
    environment = {**os.environ, "MINICNN_CACHE": str(cache)}
    begun = time.perf_counter()
    done = subprocess.run(
        [*command, "--out", str(photos.parent / "out"), *options],
        env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - begun
    return {"seconds": round(seconds, 2), "accuracy": json.loads(done.stdout)["accuracy"]}


def measure(options: argparse.Namespace, place: Path) -> list[dict[str, Any]]:
    """A row for each way."""
    photos, cache = place / "photos", place / "cache"
    chosen(options.photos, options.classes, options.images, photos)
    (cache_folder() / "kernels").mkdir(parents=True, exist_ok=True)
    cache.mkdir()
    (cache / "kernels").symlink_to(cache_folder() / "kernels")
    rows = []
    for way, more in OPTIONS.items():
        finetune(photos, options.mobilenet, cache, more)  # compiles
        shutil.rmtree(cache / "features")
        first, *later = (finetune(photos, options.mobilenet, cache, more) for _ in range(options.rounds + 1))
        seconds = statistics.median(run["seconds"] for run in later)
        rows.append({"way": way, "first_seconds": first["seconds"], "seconds": seconds, "accuracy": first["accuracy"]})
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = command_line("two_classes", __doc__)
    parser.add_argument("photos", type=Path, help="folder of pictures, a class a folder")
    parser.add_argument("mobilenet", type=Path, help="weights of MobileNet (.h5)")
    parser.add_argument("--classes", nargs=2, default=["daisy", "rose"], help="(default daisy rose)")
    parser.add_argument("--images", type=int, default=200, help="of both together (default 200)")
    parser.add_argument("--rounds", type=int, default=3, help="later runs (default 3)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        rows = measure(options, Path(place))
    result = {"images": options.images, "classes": options.classes, "rows": rows}
    return conclude("two_classes", result, options.out)


if __name__ == "__main__":
    sys.exit(main())
