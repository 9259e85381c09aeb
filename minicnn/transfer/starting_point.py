"""L2-SP: a penalty on the distance from the weights that a network came with."""

import contextlib
from collections.abc import Iterable, Iterator

import numpy as np

from minicnn.autograd import Parameter


class StartingPoint:
    """penalty = strength/2 Σ(w - w₀)²,  gradient = strength · (w - w₀)

    Where plain weight decay forgets what others trained, this forgets only what the new pictures contradict.

    Source: Li, Grandvalet & Davoine, "Explicit Inductive Bias for Transfer Learning with Convolutional Networks", 2018,
    equation 2, its first term.

    Examples
    --------
    >>> StartingPoint(np.array([1.0]), strength=2.0).penalty(np.array([4.0]))
    9.0
    """

    def __init__(self, start: np.ndarray, strength: float):
        self.start, self.strength = start, strength

    def penalty(self, w: np.ndarray) -> float:
        """The number that is added to the loss."""
        return float(self.strength / 2 * np.square(w - self.start).sum(dtype=np.float64))

    def gradient(self, w: np.ndarray) -> np.ndarray:
        """Its gradient, which is added to that of the loss."""
        return w.dtype.type(self.strength) * (w - self.start)


@contextlib.contextmanager
def held_to_start(parameters: Iterable[Parameter], strength: float) -> Iterator[None]:
    """In the block the penalty takes the place of the parameters' own; nothing happens for a strength of 0."""
    replaced = [(parameter, parameter.regularizer) for parameter in (parameters if strength else ())]
    try:
        for parameter, _ in replaced:
            parameter.regularizer = StartingPoint(parameter.numpy().copy(), strength)
        yield
    finally:
        for parameter, regularizer in replaced:
            parameter.regularizer = regularizer
