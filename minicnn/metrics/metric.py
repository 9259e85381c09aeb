"""Metric: a figure that grows batch by batch; and the weighted mean, which most metrics are.

Sums are kept in float64, so the result does not depend on how the samples were cut into batches.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from minicnn.errors import ShapeError


class Metric:
    """Base class: `update_state` takes a batch, `result` is the figure so far, `reset_state` starts again.

    `direction` says whether "up" or "down" is better, for callbacks that watch the metric; None says neither.
    """

    direction: ClassVar[Literal["up", "down"] | None] = None

    def __init__(self, name: str):
        self.name = name
        self.reset_state()

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch of N samples; `sample_weight` (N,) lets some count more."""
        raise NotImplementedError

    def result(self) -> Any:
        """The figure over all batches since the last reset: a float, or an array."""
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forget all batches."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What it has seen since the last reset, as plain data, for a training that is taken up again in an epoch."""
        return {name: value for name, value in vars(self).items() if not callable(value)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on with what `state` returned."""
        vars(self).update(state)

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Add a batch, return the figure so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


class WeightedMean(Metric):
    """Base of metrics that are Σ w v / Σ w, and 0 before the first value."""

    def reset_state(self) -> None:
        self.total = self.weight = 0.0

    def add(self, values: ArrayLike, sample_weight: ArrayLike | None) -> None:
        """Add values (N,...) with one weight for all, or one for each sample."""
        values = np.asarray(values, np.float64)
        weights = np.broadcast_to(sample_weights(sample_weight, values, self.name), values.shape)
        self.total += float(np.sum(values * weights))
        self.weight += float(np.sum(weights))

    def result(self) -> float:
        return self.total / self.weight if self.weight else 0.0


class Mean(WeightedMean):
    """The mean of values, such as the losses of batches.

    Examples
    --------
    >>> loss = Mean("loss")
    >>> loss.update_state(2.0, sample_weight=32)
    >>> loss.update_state(1.0, sample_weight=16)
    >>> round(loss.result(), 3)
    1.667
    """

    def __init__(self, name: str = "mean"):
        super().__init__(name)

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # pyright: ignore
        """Add values (N,...) with one weight for all, or one for each sample."""
        self.add(values, sample_weight)


class MeanOf(WeightedMean):
    """The mean of `function(y_true, y_pred)`, whose values (N,...) have the samples along the first axis.

    Examples
    --------
    >>> import numpy as np
    >>> bias = MeanOf(lambda y_true, y_pred: y_pred - y_true, name="bias")
    >>> bias([1.0, 2.0], [1.5, 2.5])
    0.5
    """

    def __init__(self, function: Callable[[np.ndarray, np.ndarray], ArrayLike], name: str):
        self.function = function
        super().__init__(name)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        self.add(self.function(np.asarray(y_true), np.asarray(y_pred)), sample_weight)


def sample_weights(sample_weight: ArrayLike | None, values: np.ndarray, owner: str) -> np.ndarray:
    """Float64 weights that broadcast against `values` (N,...): one number, (N,1,...), (N,T,1,...), or one a value.

    Raises
    ------
    ShapeError
        Not one weight for each sample, or for each step of one.
    """
    weights = np.asarray(1.0 if sample_weight is None else sample_weight, np.float64)
    if weights.shape == values.shape[: weights.ndim]:
        return weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    if values.ndim == 0:
        raise ShapeError(
            f"{owner} gives one number for a whole batch, whose samples or steps have weights or a mask: let it give "
            "one for each sample, or step"
        )
    if weights.shape != (len(values), 1):
        raise ShapeError(
            f"{owner}: sample_weight must hold one number a sample; it has shape {weights.shape}, "
            f"the values have {values.shape}"
        )
    return weights.reshape(-1, *(1,) * (values.ndim - 1))
