"""A support vector machine and a random forest on what a trained network sees, and the former on bare pixels.

    python examples/svm_and_forest_on_features.py                                 on shapes that it draws
    python examples/svm_and_forest_on_features.py photos --base mobilenet         on a folder of folders, one a class

The network runs once for each picture, whatever the folds and the classifiers.
"""

import argparse
import sys
import tempfile

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from minicnn.cli.ending import exit_code
from minicnn.data import ResizeRule, load_images, scan_folder, stratified_folds
from minicnn.datasets import shapes
from minicnn.estimators import CNNFeatures
from minicnn.transfer import load_base
from minicnn.transfer.scores import folds_interval


def pixels(files: list) -> np.ndarray:
    """The pictures of files as rows (N,3072) of pixels."""
    return load_images(files, ResizeRule(32)).images.reshape(len(files), -1) / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="?", help="a folder with one folder of pictures a class (default: shapes)")
    parser.add_argument("--base", default="bundled", help="the network (default: the one that comes with minicnn)")
    parser.add_argument("--weights", default="imagenet", help="a file with its weights (default: the published ones)")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation (default 5)")
    options = parser.parse_args()

    base = load_base(options.base, options.weights)
    with tempfile.TemporaryDirectory() as temporary:
        folder = scan_folder(options.photos or shapes.write(f"{temporary}/shapes", per_class=30))
        files, classes = list(folder.files), np.array(folder.class_names)[folder.labels]
        parts = stratified_folds(folder.labels, options.folds, class_names=folder.class_names)
        folds = [(part.train, part.validation) for part in parts]
        features = CNNFeatures(base)
        pipelines = {
            "pixels, SVM": make_pipeline(FunctionTransformer(pixels), SVC()),
            "features, SVM": make_pipeline(features, StandardScaler(), SVC()),
            "features, random forest": make_pipeline(features, RandomForestClassifier(100, random_state=0)),
        }
        print(f"{len(files)} pictures of {len(folder.class_names)} classes, {options.folds} folds")
        for name, pipeline in pipelines.items():
            accuracy, (low, high) = folds_interval(cross_val_score(pipeline, files, classes, cv=folds))
            print(f"{name:24} {accuracy:.1%} right, 95% interval {low:.1%} to {high:.1%}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
