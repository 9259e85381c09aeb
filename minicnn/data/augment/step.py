"""What the steps of a pipeline are: changes of one picture, and mixtures of the pictures of a batch."""

from collections.abc import Sequence

import numpy as np

from minicnn.arguments import number


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


def interval(owner: object, argument: str, value: object, low: float, high: float) -> tuple[float, float]:
    """(a, b) of two numbers with low <= a <= b <= high, or (-v, v) of one number v, cut at low.

    Raises
    ------
    ArgumentError

    >>> interval("step", "angle", 10, -180, 180)
    (-10.0, 10.0)
    """
    name, allowed = type(owner).__name__ if isinstance(owner, Step | Mixing) else str(owner), f"[{low}, {high}]"
    if isinstance(value, tuple | list) and len(value) == 2:
        first = number(name, argument, value[0], allowed)
        return first, number(name, argument, value[1], f"[{first}, {high}]")
    most = number(name, argument, value, f"[0, {high}]")
    return max(-most, float(low)), most
