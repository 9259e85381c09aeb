"""Is the transfer real?  Ways to learn five kinds of flowers, on the same folds: results/flowers.json.

    python -m benchmarks.flowers PHOTOS MOBILENET.h5 SQUEEZENET.h5

Cross-validation over all pictures, five folds, repeated with other divisions.  Every choice (the decay of a head, the
C of the machine) is made inside the training part of each fold; nothing is chosen on the part that is reported.  Each
fold is kept when it is done: the same command goes on where it was stopped.
"""

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import Split, stratified_folds
from minicnn.seeds import set_random_seed
from minicnn.transfer import Base, Comparison, Policy, default_cache, load_base
from minicnn.transfer.compare import Arm
from minicnn.transfer.compare_arms import METHODS, Learner, Task, small_net
from minicnn.transfer.folds import fold_seed
from minicnn.transfer.labelled import Labelled, labelled

from .measuring import Pieces, command_line

FOLDS = 5
STRENGTHS = np.logspace(-2, 3, 6)
Way = tuple[str, Base | None, Callable[..., Learner]]  # its method, the base, and what makes a learner


def support_vectors(task: Task, base: Base) -> Learner:
    """scikit-learn's machine with a Gaussian kernel on standardised features, its C chosen by folds inside."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    features, labels = task.pictures.features(base.model, base, task.cache), task.pictures.labels

    def learn(split: Split) -> np.ndarray:
        search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": STRENGTHS})
        search.fit(features[split.train], labels[split.train])
        return np.eye(task.classes)[search.predict(features[split.validation])]

    return learn


def ways(mobilenet: Path, squeezenet: Path) -> list[Way]:
    """What is compared; the weights of SqueezeNet were trained on pixels prepared as Caffe has them."""
    mobile = load_base("mobilenet", mobilenet)
    squeezed = load_base(squeezenet, preprocessing="caffe")
    return [
        ("scratch", None, METHODS["scratch"]),
        ("features + SVM", squeezed, support_vectors),
        ("features", mobile, METHODS["features"]),
        ("finetuned", mobile, METHODS["finetuned"]),
    ]


def judge(pictures: Labelled, way: Way, seed: int, pieces: Pieces) -> list[dict[str, float]]:
    """Accuracy and seconds of a way on each fold of one division."""
    method, base, make = way
    task = Task(pictures, Policy(seed=seed), small_net, default_cache())
    learner = functools.cache(lambda: make(task, base))
    splits = stratified_folds(pictures.labels, FOLDS, seed=seed, keys=pictures.hashes, class_names=pictures.class_names)

    def measure(number: int, split: Split) -> dict[str, float]:
        learn = learner()
        set_random_seed(fold_seed(seed, number))
        begun = time.perf_counter()
        found = learn(split).argmax(axis=1)
        accuracy = float((found == pictures.labels[split.validation]).mean())
        return {"accuracy": accuracy, "seconds": round(time.perf_counter() - begun, 2)}

    return [
        pieces.get(f"division {seed}, {method}, fold {number}", functools.partial(measure, number, split))
        for number, split in enumerate(splits, 1)
    ]


def summary(found: dict[int, list[list[dict[str, float]]]], ways: list[Way], pictures: Labelled) -> dict[str, Any]:
    """What `transfer.compare` would say of all folds of all divisions."""
    arms = []
    for number, (method, base, _) in enumerate(ways):
        folds = [fold for division in found.values() for fold in division[number]]
        accuracies = [fold["accuracy"] for fold in folds]
        seconds = sum(fold["seconds"] for fold in folds)
        arms.append(Arm(method, base.name if base else "", accuracies, 0.0, seconds))
    judged = len(pictures.labels) / FOLDS
    return Comparison(pictures.title, arms, len(pictures.labels) - judged, judged).to_dict()


def main(argv: list[str] | None = None) -> int:
    parser = command_line("flowers", __doc__)
    parser.add_argument("photos", type=Path, help="folder of pictures, a class a folder")
    parser.add_argument("mobilenet", type=Path, help="weights of MobileNet (.h5)")
    parser.add_argument("squeezenet", type=Path, help="weights of SqueezeNet (.h5)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="of the divisions (default 1 2)")
    options = parser.parse_args(argv)
    pictures, compared = labelled(options.photos), ways(options.mobilenet, options.squeezenet)
    pieces = Pieces("flowers", options.out)
    found = {seed: [judge(pictures, way, seed, pieces) for way in compared] for seed in options.seeds}
    result = {"pictures": len(pictures.labels), "folds": FOLDS, "divisions": len(found)}
    result |= summary(found, compared, pictures)
    return pieces.conclude(result)


if __name__ == "__main__":
    sys.exit(main())
