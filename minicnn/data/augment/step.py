"""What the steps of a pipeline are: changes of one picture, and mixtures of the pictures of a batch."""

from collections.abc import Sequence

import numpy as np


class Step:
    """A random change of one picture.  A step of your own is a subclass with `__call__`."""

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """uint8 (H',W',3) of uint8 (H,W,3), which stays as it is; all chance comes from the generator."""
        raise NotImplementedError

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({options})"


class Mixing:
    """A random mixture of the pictures of a batch and of their targets."""

    __repr__ = Step.__repr__

    def __call__(
        self, images: np.ndarray, targets: np.ndarray, generators: Sequence[np.random.Generator]
    ) -> tuple[np.ndarray, np.ndarray]:
        """(images, targets) mixed, of images (B,H,W,3), uint8 or float, targets float32 (B,C) and B generators."""
        raise NotImplementedError
