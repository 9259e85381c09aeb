"""A list of steps with a seed: what becomes of a picture depends on the seed, its number and the epoch alone."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from minicnn.arguments import whole_number
from minicnn.errors import ArgumentError, DTypeError, ShapeError

from .geometry import Affine, moved
from .step import Mixing, Step


class Pipeline:
    """Steps, done in turn to each picture, and then mixtures of a batch.

    Steps of affine maps that follow each other, as Rotate, Zoom and Shift are, read the picture once.

    Parameters
    ----------
    steps
        Steps, and after them MixUp or CutMix, which `mix` does.
    seed
        Another seed, other changes.

    Raises
    ------
    ArgumentError

    Examples
    --------
    >>> from minicnn.data import augment
    >>> changes = augment.Pipeline([augment.Flip(), augment.Rotate(10), augment.Zoom(0.1)], seed=0)
    >>> changes(np.zeros((5, 7, 3), np.uint8), index=2, epoch=4).shape
    (5, 7, 3)
    """

    def __init__(self, steps: Sequence[Step | Mixing], seed: int = 0):
        self.steps = [step for step in steps if isinstance(step, Step)]
        self.mixing = [step for step in steps if isinstance(step, Mixing)]
        if [*self.steps, *self.mixing] != list(steps):
            raise ArgumentError(
                f"Pipeline: steps must be steps of minicnn.data.augment, those that mix a batch last; got {steps!r}. "
                "Adapted(function) makes a step of a function"
            )
        self.seed = whole_number("Pipeline", "seed", seed, 0)

    def __call__(self, image: np.ndarray, index: int, epoch: int = 0) -> np.ndarray:
        """The picture, uint8 (H,W,3), as sample `index` shows it in an epoch; the given array stays as it is.

        Raises
        ------
        DTypeError, ShapeError
            Not such a picture, or a step that makes none of it.
        """
        generator, result = self._generator(index, epoch), checked(image, "the picture")
        for merged, steps in groupby(self.steps, _mergeable):
            if merged:
                result = _at_once([step for step in steps if isinstance(step, Affine)], result, generator)
            else:
                for step in steps:
                    result = checked(step(result, generator), step)
        return np.ascontiguousarray(result)

    def mix(
        self, images: np.ndarray, targets: np.ndarray, indices: Sequence[int], epoch: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """(images, targets) of a batch of these samples, mixed: images (B,H,W,3), targets float32 (B,C), of sum 1."""
        for number, mixing in enumerate(self.mixing, 1):
            generators = [self._generator(int(index), epoch, number) for index in indices]
            images, targets = mixing(images, targets, generators)
        return images, targets

    def _generator(self, *place: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=place))

    def __repr__(self) -> str:
        return f"Pipeline({[*self.steps, *self.mixing]!r}, seed={self.seed})"


def checked(image: np.ndarray, origin: object) -> np.ndarray:
    """A picture, when it is uint8 (H,W,3)."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        raise DTypeError(f"augmentation takes and gives uint8 arrays; {origin} is or gave {_said(image)}")
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ShapeError(f"augmentation takes and gives pictures (H,W,3); {origin} is or gave {_said(image)}")
    return image


def _said(value: object) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def _mergeable(step: Step) -> tuple[str, float] | None:
    """Equal for steps that can read a picture together."""
    return (step.fill, step.value) if isinstance(step, Affine) else None


def _at_once(steps: Sequence[Affine], image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The picture under all these maps, read once."""
    whole = np.eye(3)
    for step in steps:
        whole = whole @ step.matrix(image.shape, generator)
    return moved(image, whole, steps[0])
