"""What is a trained net worth when pictures are few?  results/few_pictures.json.

    python -m benchmarks.few_pictures cifar10_subset.npz backbone.keras

The bundled net has seen all classes of CIFAR-10, so that a transfer to them would prove nothing.  Here the same net is
trained in the same way (examples/train_backbone.py, kept in backbone.keras) on the first five classes alone, and then
carried over to the other five: no picture and no class is in both.  It stands beside the same net from random weights,
which sees its pictures more often and changed in more ways, and beside itself trained just so (`continued`).  All have
the same pictures for training, drawn anew for each seed, and are tested on the same others.
"""

import functools
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minicnn.data import ResizeRule, Split
from minicnn.optimizers import SGD
from minicnn.schedules import CosineDecay
from minicnn.seeds import set_random_seed
from minicnn.transfer import Base, Policy, load_base
from minicnn.transfer.compare_arms import METHODS, Learner, Method, Task, small_net
from minicnn.transfer.labelled import labelled
from minicnn.transfer.scores import mean_interval

from .measuring import Pieces, command_line

EXAMPLE = Path(__file__).parents[1] / "examples" / "train_backbone.py"
EPOCHS_OF_BACKBONE = 16
SOURCE = 5  # classes; the others are the target
BATCH, RATE = 32, 0.03  # from scratch: the example's 0.1 for batches of 100
EPOCHS = {50: 80, 100: 50, 500: 16}  # from scratch, by pictures a class
Arrays = tuple[np.ndarray, np.ndarray]


def example() -> ModuleType:
    """examples/train_backbone.py."""
    sys.path.insert(0, str(EXAMPLE.parent))
    try:
        import train_backbone  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    return train_backbone


def of_classes(data: dict[str, np.ndarray], part: str, source: bool) -> Arrays:
    """Pictures and labels, from 0 on, of the source classes or of the others."""
    x, y = data[f"x_{part}"], data[f"y_{part}"].reshape(-1)
    rows = (y < SOURCE) == source
    return x[rows], y[rows] if source else y[rows] - SOURCE


def train_backbone(data: dict[str, np.ndarray], target: Path) -> None:
    """The example's own command, on the source classes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.npz"
        (x, y), (x_test, y_test) = (of_classes(data, part, source=True) for part in ("train", "test"))
        np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
        command = [sys.executable, str(EXAMPLE), str(path), "--out", str(target)]
        subprocess.run([*command, "--epochs", str(EPOCHS_OF_BACKBONE)], check=True)


def by_recipe(task: Task, base: Base | None) -> Learner:
    """The net of the example with random weights, or those of a base: its optimizer, flips, crops, and many epochs."""
    net = example()
    images, labels = task.pictures.images(ResizeRule(32)), task.pictures.labels

    def learn(split: Split) -> np.ndarray:
        steps = len(split.train) // BATCH * EPOCHS[len(split.train) // task.classes]
        warm_up = steps // 5
        rate = CosineDecay(RATE / 10, steps - warm_up, alpha=0.0, warmup_target=RATE, warmup_steps=warm_up)
        model = net.backbone(task.classes)
        for weight, trained in zip(model.weights, base.model.weights if base else []):
            weight.assign(trained.numpy())
        model.compile(SGD(rate, momentum=0.9, nesterov=True), "sparse_categorical_crossentropy")
        batches = net.augmented(images[split.train], labels[split.train], BATCH, task.policy.seed)
        model.fit(batches, epochs=1, steps_per_epoch=steps, verbose=0)
        return model.predict(net.scale(images[split.validation]))

    return learn


def ways(backbone: Path) -> Mapping[str, tuple[Method, Base | None]]:
    """What is compared, by name."""
    base = load_base(backbone)
    transfers = {name: (METHODS[name], base) for name in ("features", "finetuned")}
    return {"scratch": (by_recipe, None), **transfers, "continued": (by_recipe, base)}


def judge(way: tuple[Method, Base | None], train: Arrays, test: Arrays, count: int, seed: int) -> dict[str, float]:
    """Accuracy on the test pictures of what learns from `count` pictures of each class, and its seconds."""
    generator, (x, y) = np.random.default_rng(seed), train
    rows = np.concatenate([generator.permutation(np.flatnonzero(y == c))[:count] for c in range(int(y.max()) + 1)])
    split = Split(np.arange(len(rows)), np.arange(len(rows), len(rows) + len(test[0])))
    pictures = labelled((np.concatenate([x[rows], test[0]]), np.concatenate([y[rows], test[1]])))
    method, base = way
    begun = time.perf_counter()
    learn = method(Task(pictures, Policy(seed=seed), small_net), base)  # type: ignore[arg-type]
    set_random_seed(seed)
    found = learn(split).argmax(axis=1)
    seconds = round(time.perf_counter() - begun, 1)
    return {"accuracy": float((found == test[1]).mean()), "seconds": seconds}


def row(count: int, ways: Sequence[str], found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Means over the seeds with their 95 % intervals, and what each way gains on the net from scratch."""
    figures = {}
    for way in ways:
        accuracies, seconds = ([piece[name] for piece in found[way]] for name in ("accuracy", "seconds"))
        gains = np.subtract(accuracies, [piece["accuracy"] for piece in found["scratch"]]).tolist()
        figures[way] = {"accuracies": accuracies, "seconds": round(float(np.mean(seconds)), 1)}
        for name, values in (("accuracy", accuracies), ("gain", gains)):
            mean, interval = mean_interval(values)
            figures[way] |= {name: mean, f"{name}_interval": interval}
    return {"pictures_a_class": count, "ways": figures}


def main(argv: list[str] | None = None) -> int:
    parser = command_line("few_pictures", __doc__)
    parser.add_argument("data", type=Path, help="npz with x_train, y_train, x_test, y_test of CIFAR-10")
    parser.add_argument("backbone", type=Path, help="the net of the source classes (.keras), made if it is not there")
    parser.add_argument("--seeds", type=int, default=3, help="draws of training pictures (default 3)")
    parser.add_argument("--counts", type=int, nargs="+", choices=EPOCHS, default=list(EPOCHS), help="pictures a class")
    options = parser.parse_args(argv)
    with np.load(options.data) as file:
        data = dict(file)
    if not options.backbone.exists():
        train_backbone(data, options.backbone)
    compared = ways(options.backbone)
    train, test = (of_classes(data, part, source=False) for part in ("train", "test"))
    pieces, found = Pieces("few_pictures", options.out), {}
    for count, seed, name in itertools.product(options.counts, range(options.seeds), compared):
        measure = functools.partial(judge, compared[name], train, test, count, seed)
        piece = pieces.get(f"{count} a class, {name}, seed {seed}", measure)
        found.setdefault(count, {}).setdefault(name, []).append(piece)
    rows = [row(count, list(compared), found[count]) for count in options.counts]
    result = {"seeds": options.seeds, "test_pictures": len(test[1]), "rows": rows}
    return pieces.conclude(result)


if __name__ == "__main__":
    sys.exit(main())
