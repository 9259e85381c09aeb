"""Mixtures of two pictures of a batch, and of their targets.

Sample i is mixed with the one before it in the batch, the first with the last.  How much, and where, depends on the
sample and the epoch alone; with what, on the batch.
"""

import math
from collections.abc import Sequence

import numpy as np

from minicnn.arguments import number

from .erasing import place
from .step import Mixing


class MixUp(Mixing):
    """y = l x + (1 - l) x', of pictures and of targets; l drawn from Beta(alpha, alpha).  Pictures become float32.

    With alpha = 0 nothing is mixed.

    Source: H. Zhang et al., "mixup: Beyond empirical risk minimization", 2017, equation 1.

    >>> images = np.array([0, 100], np.uint8).reshape(2, 1, 1, 1)
    >>> generators = [np.random.default_rng(i) for i in range(2)]
    >>> x, y = MixUp(1.0)(images, np.eye(2, dtype=np.float32), generators)
    >>> bool(np.isclose(x.ravel() / 100, y[:, 1]).all())
    True
    """

    def __init__(self, alpha: float = 0.2):
        self.alpha = number("MixUp", "alpha", alpha, "[0, inf)")

    def __call__(
        self, images: np.ndarray, targets: np.ndarray, generators: Sequence[np.random.Generator]
    ) -> tuple[np.ndarray, np.ndarray]:
        if not self.alpha:
            return images, targets
        shares = np.array([g.beta(self.alpha, self.alpha) for g in generators], np.float32)
        return _between(images.astype(np.float32), shares), _between(targets, shares)


class CutMix(Mixing):
    """A rectangle of the other picture of area (1 - l) is laid in at random; targets are mixed by the areas that show.

    l is drawn from Beta(alpha, alpha); with alpha = 0 nothing is mixed.

    Source: S. Yun et al., "CutMix: Regularization strategy to train strong classifiers", 2019, section 3.1.
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = number("CutMix", "alpha", alpha, "[0, inf)")

    def __call__(
        self, images: np.ndarray, targets: np.ndarray, generators: Sequence[np.random.Generator]
    ) -> tuple[np.ndarray, np.ndarray]:
        if not self.alpha:
            return images, targets
        mixed, shares = images.copy(), np.ones(len(images), np.float32)
        height, width = images.shape[1:3]
        for i, generator in enumerate(generators):
            share = math.sqrt(1 - generator.beta(self.alpha, self.alpha))
            box = place(height, share, generator), place(width, share, generator)
            mixed[i][box] = images[i - 1][box]
            shares[i] -= (box[0].stop - box[0].start) * (box[1].stop - box[1].start) / (height * width)
        return mixed, _between(targets, shares)


def _between(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Each row, by its share, and the row before it, by the rest."""
    shares = shares.reshape(-1, *[1] * (values.ndim - 1))
    return shares * values + (1 - shares) * np.roll(values, 1, 0)
