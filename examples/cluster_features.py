"""Unsupervised transfer: pictures without labels, sorted into heaps by what a trained network sees in them.

    python examples/cluster_features.py                             digits, by a network that has never seen one
    python examples/cluster_features.py photos --base mobilenet     a folder of folders, one a class

No label has a part in the sorting.  They are used at the end, to say how far the heaps are the classes: the adjusted
Rand index is 1 where they are, and 0 for heaps drawn by lot.  The digits are real ones that come with scikit-learn;
they lie so well in their pictures that bare pixels do about as well.
"""

import argparse
import sys

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline

from minicnn.cli.ending import exit_code
from minicnn.data import ResizeRule, load_images, scan_folder
from minicnn.transfer import extract_features

PICTURES = 500  # of digits
DIGITS = {"layer": "stage2_block2_out", "pooling": None}  # maps as they are: a digit is where its strokes lie


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="?", help="a folder with one folder of pictures a class (default: digits)")
    parser.add_argument("--base", default="bundled", help="the network (default: the one that comes with minicnn)")
    parser.add_argument("--weights", default="imagenet", help="a file with its weights (default: the published ones)")
    options = parser.parse_args()

    if options.photos is None:
        pixels, labels = (array[:PICTURES] for array in load_digits(return_X_y=True))
        names = [str(digit) for digit in range(10)]
        pictures, where = (pixels.reshape(-1, 8, 8) / 16 * 255).astype(np.uint8), DIGITS
    else:
        folder = scan_folder(options.photos)
        names, loaded = folder.class_names, load_images(folder.files, ResizeRule(32))
        pixels, labels = loaded.images.reshape(len(loaded.images), -1), folder.labels[loaded.indices]
        pictures, where = [folder.files[index] for index in loaded.indices], {}
    features = extract_features(options.base, pictures, weights=options.weights, **where)

    for what, rows in (("pixels", pixels), ("features", features.reshape(len(labels), -1))):
        kmeans = KMeans(len(names), random_state=0)
        heaps = make_pipeline(PCA(min(50, len(rows)), random_state=0), kmeans).fit_predict(rows)
        print(f"{what}: adjusted Rand index {adjusted_rand_score(labels, heaps):.2f}")
        for heap in range(len(names)):
            counts = np.bincount(labels[heaps == heap], minlength=len(names))
            most = [f"{counts[label]} × {names[label]}" for label in np.argsort(-counts)[:4] if counts[label]]
            print(f"  heap {heap + 1:2}, {counts.sum():3} pictures: {', '.join(most)}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
