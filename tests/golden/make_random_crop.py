"""What RandomCrop of the installed Keras gives in inference, added to random_crop.npz beside this file.

The file holds 3.5.0, 3.6.0, 3.7.0, 3.8.0 and 3.15.1, each run with its own `python tests/golden/make_random_crop.py`:
keys are "version height width of the images, height width of the crop", values the images that come out of `images`.
"""

from pathlib import Path

import keras
import numpy as np

PATH = Path(__file__).with_name("random_crop.npz")
CASES = [((9, 11), (4, 6)), ((9, 3), (4, 6)), ((3, 9), (4, 6)), ((5, 12), (4, 4)), ((3, 3), (5, 5)), ((4, 6), (4, 6))]


def images(height: int, width: int) -> np.ndarray:
    """(1,height,width,1), all different, without a pattern."""
    return (np.arange(height * width, dtype=np.float32) * 7 % 31).reshape(1, height, width, 1)


if __name__ == "__main__":
    found = dict(np.load(PATH)) if PATH.exists() else {}
    for sides, size in CASES:
        model = keras.Sequential([keras.layers.Input((*sides, 1)), keras.layers.RandomCrop(*size, name="crop")])
        key = " ".join(map(str, [keras.__version__, *sides, *size]))
        found[key] = np.asarray(model.predict(images(*sides), verbose=0))
    np.savez_compressed(PATH, **dict(sorted(found.items())))
