"""A hybrid: what a trained network sees in pictures, beside what a copy of it sees that was fine-tuned to them.

    python examples/hybrid_features.py                                shapes that it draws
    python examples/hybrid_features.py photos --base mobilenet        a folder of folders, one a class

The frozen half keeps what the network has learned from many pictures, the other half learns what is special in these.
A support vector machine is given the features of either half and of both, side by side; it is judged on pictures that
neither it nor the fine-tuning has seen.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from minicnn.cli.ending import exit_code
from minicnn.data import Split, load_images, scan_folder
from minicnn.datasets import shapes
from minicnn.transfer import Base, Policy, extract_features, finetune, load_base
from minicnn.transfer.scores import wilson_interval


def halves(photos: str | Path, base: Base, epochs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Split]:
    """What both halves see in the pictures of a folder (N,D), their classes, and which of them are for learning."""
    folder = scan_folder(photos)
    loaded = load_images(folder.files, base.preparation.rule)
    labels, names = folder.labels[loaded.indices], folder.class_names  # without files that are no pictures
    frozen = extract_features(base, loaded.images)
    result = finetune(base, (loaded.images, labels), Policy(epochs=epochs), class_names=names, validation=0.3)
    return frozen, extract_features(result.model, loaded.images), labels, result.split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="?", help="a folder with one folder of pictures a class (default: shapes)")
    parser.add_argument("--epochs", type=int, default=12, help="of fine-tuning (default 12)")
    parser.add_argument("--base", default="bundled", help="the network (default: the one that comes with minicnn)")
    parser.add_argument("--weights", default="imagenet", help="a file with its weights (default: the published ones)")
    options = parser.parse_args()

    base = load_base(options.base, options.weights)
    with tempfile.TemporaryDirectory() as temporary:
        photos = options.photos or shapes.write(f"{temporary}/shapes", per_class=40)
        frozen, tuned, labels, split = halves(photos, base, options.epochs)

    train, test = split.train, split.validation
    print(f"{len(train)} pictures to learn from, {len(test)} to judge by")
    for name, features in {"frozen": frozen, "fine-tuned": tuned, "both": np.hstack([frozen, tuned])}.items():
        svm = make_pipeline(StandardScaler(), SVC()).fit(features[train], labels[train])
        right = int((svm.predict(features[test]) == labels[test]).sum())
        low, high = wilson_interval(right, len(test))
        print(f"{name:12} {features.shape[1]:5,} features: {right / len(test):.1%} right, 95% {low:.1%} to {high:.1%}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
