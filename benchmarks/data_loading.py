"""Does training wait for pictures?  The share of an epoch that is compute: results/data_loading.json.

    python -m benchmarks.data_loading PHOTOS

The first epoch of a new head on a frozen MobileNet, 224 x 224, from JPEG files: the pictures of the folder, enlarged to
a longer side of 640.  What `fit` spends in waiting for its next batch is the data's; the rest is compute, beside which
the threads that read have the same cores.  `in turns` reads and trains alternately, as without threads that work ahead;
`in memory` has all pictures read and prepared before.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from minicnn.applications import MobileNet
from minicnn.data import (
    ArrayDataset,
    Dataset,
    ImageFolder,
    LabelledFiles,
    Preparation,
    ResizeRule,
    augment,
    label_files,
    scan_folder,
)
from minicnn.data.dataset import portions
from minicnn.layers import Dense
from minicnn.models import Model

from .measuring import command_line, conclude

SIZE, LONGER_SIDE, BATCH = 224, 640, 32


class Clocked:
    """A dataset, and the seconds that were spent in waiting for its batches."""

    def __init__(self, data: Dataset):
        self.data, self.waited = data, 0.0
        self.varies = True  # every epoch is a first one: no features are kept

    def __len__(self) -> int:
        return len(self.data)

    def batches(self, batch_size: int, order: Any = None) -> Iterator[Any]:
        batches = self.next_batches(batch_size, order)
        while True:
            begun = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - begun
            if batch is None:
                return
            yield batch

    def next_batches(self, batch_size: int, order: Any) -> Iterator[Any]:
        return self.data.batches(batch_size, order)


class InTurns(Clocked):
    """Each batch is read when it is asked for, by as many threads."""

    def next_batches(self, batch_size: int, order: Any) -> Iterator[Any]:
        for rows in portions(len(self), batch_size, order):
            yield next(self.data.batches(batch_size, rows))


@contextlib.contextmanager
def enlarged(photos: Path, count: int) -> Iterator[LabelledFiles]:
    """Pictures of a folder, of all classes alike, with a longer side of LONGER_SIDE, as JPEG files of quality 90."""
    folder = scan_folder(photos)
    chosen = range(0, len(folder), max(1, len(folder) // count))[:count]
    with tempfile.TemporaryDirectory() as target:
        files = [Path(target) / f"{i}.jpg" for i in chosen]
        for i, file in zip(chosen, files):
            with Image.open(folder.files[i]) as image:
                scale = LONGER_SIDE / max(image.size)
                picture = image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)))
            picture.save(file, quality=90)
        yield label_files(files, [folder.class_names[folder.labels[i]] for i in chosen])


def frozen_model(classes: int, alpha: float) -> Model:
    base = MobileNet(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3), pooling="avg", alpha=alpha)
    base.trainable = False
    model = Model(base.inputs, Dense(classes, activation="softmax")(base.outputs[0]))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def measure(photos: LabelledFiles, alpha: float, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of an epoch, and of waiting, of each way in turns: the medians."""
    model = frozen_model(len(photos.class_names), alpha)
    plain = ImageFolder(photos, Preparation(ResizeRule(SIZE), "tf"))
    changed = plain.augmented(
        augment.Pipeline([augment.Flip(), augment.Rotate(15), augment.Zoom(0.1), augment.Brightness(0.1)])
    )
    ((x, y),) = plain.batches(len(plain))
    ways = {
        "plain": Clocked(plain),
        "augmented": Clocked(changed),
        "in turns, augmented": InTurns(changed),
        "in memory": Clocked(ArrayDataset(x, y)),
    }
    model.fit(ways["plain"], batch_size=BATCH, verbose=0)  # compiles
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            way.waited = 0.0
            begun = time.perf_counter()
            model.fit(way, batch_size=BATCH, verbose=0)
            found[name].append((time.perf_counter() - begun, way.waited))
    return {name: _medians(times) for name, times in found.items()}


def _medians(times: list[tuple[float, float]]) -> dict[str, float]:
    seconds, waited = (round(statistics.median(values), 4) for values in zip(*times))
    return {
        "seconds": seconds,
        "waited_seconds": waited,
        "compute_share": round(statistics.median(1 - w / s for s, w in times), 4),
    }


def main(argv: list[str] | None = None) -> int:
    parser = command_line("data_loading", __doc__)
    parser.add_argument("photos", type=Path, help="folder of pictures, a class a folder")
    parser.add_argument("--images", type=int, default=256, help="how many of them (default 256)")
    parser.add_argument("--rounds", type=int, default=3, help="epochs of each way (default 3)")
    options = parser.parse_args(argv)
    with enlarged(options.photos, options.images) as photos:
        rows = {str(alpha): measure(photos, alpha, options.rounds) for alpha in (1.0, 0.25)}
        size = sum(file.stat().st_size for file in photos.files) // len(photos)
    result = {"alphas": rows, "images": len(photos), "bytes_each": size, "longer_side": LONGER_SIDE, "batch": BATCH}
    return conclude("data_loading", result, options.out)


if __name__ == "__main__":
    sys.exit(main())
