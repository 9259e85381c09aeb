"""Is the transfer real?  minicnn's head and fine-tuning against scikit-learn's linear probe, on the same folds.

    python -m benchmarks.flowers PHOTOS WEIGHTS.h5 [--unfreeze conv_pw_13]

5-fold cross-validation over all pictures.  Every choice (the decay of the head, the C of the probe) is made by inner
validation on the training part of each fold; nothing is chosen on the fold that is reported.  Fine-tuning is by the
default policy, or with --unfreeze plainly from a layer on.
"""

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.measuring import save
from minicnn.data import scan_folder, stratified_folds
from minicnn.transfer import Policy, Settings, extract_features, finetune_folder
from minicnn.transfer.base import load_base
from minicnn.transfer.pictures import read_pictures
from minicnn.transfer.scores import mean_interval

STRENGTHS = np.logspace(-4, 2, 7)


def probe_accuracies(
    features: np.ndarray, labels: np.ndarray, hashes: Sequence[str], names: Sequence[str]
) -> list[float]:
    """Accuracy on each fold of standardised features and logistic regression, its C chosen by inner folds."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = []
    for split in stratified_folds(labels, 5, seed=0, keys=hashes, class_names=names):
        probe = make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=STRENGTHS.tolist(), cv=5, max_iter=2000))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", FutureWarning)
            probe.fit(features[split.train], labels[split.train])
        found.append(float(probe.score(features[split.validation], labels[split.validation])))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path, help="folder of pictures, a class a folder")
    parser.add_argument("weights", type=Path, help="MobileNet weights (.h5)")
    parser.add_argument("--unfreeze", metavar="LAYER", help="fine-tune from this layer on, at one rate")
    args = parser.parse_args()

    folder = scan_folder(args.photos)
    base = load_base("mobilenet", args.weights)
    pictures = read_pictures(folder, base.preparation.rule)
    features = extract_features(base, pictures.images)
    probe = probe_accuracies(features, pictures.labels, pictures.hashes, folder.class_names)
    settings = Settings(folds=5, unfreeze=args.unfreeze)
    policy = None if args.unfreeze else Policy()
    result = finetune_folder(args.photos, "mobilenet", args.weights, settings, policy=policy)
    assert result.folds is not None
    tuned = f"from {args.unfreeze}" if args.unfreeze else "default policy"
    rows = {"linear probe": probe, "head alone": result.folds.head, tuned: result.folds.fine_tuned}
    for name, values in [*rows.items(), ("tuned - head", np.subtract(result.folds.fine_tuned, result.folds.head))]:
        mean, (low, high) = mean_interval(list(values))
        print(f"{name:20s} {mean:.1%} on average, from {low:.1%} to {high:.1%}: {np.round(values, 3).tolist()}")
    print(f"given train/val split {result.accuracy:.1%} ")
    save("flowers", {"folds": rows, "given split": result.accuracy})


if __name__ == "__main__":
    main()
