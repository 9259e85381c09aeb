"""How much samples of each class count, where some classes have few."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.models.fitting import checked_class_weight

POWERS = {"balanced": 1.0, "sqrt": 0.5}

Choice = str | Mapping[int, float] | None


def class_weights(choice: Choice, labels: np.ndarray, classes: int) -> dict[int, float] | None:
    """
    w[k] = n[k]^-p / mean over samples of the same: p = 1 for "balanced", ½ for "sqrt"; a dict as it is.

    With "balanced" every class counts as much as any other in all; "sqrt" goes half of the way (in logarithms), which
    overfits a rare class less.  The mean weight of a sample is 1, so that a learning rate keeps its meaning.

    Parameters
    ----------
    labels : int (N,)
        Of the training samples.

    Examples
    --------
    >>> class_weights("balanced", np.array([0, 0, 0, 1]), 2)
    {0: 0.6666666666666666, 1: 2.0}
    """
    if not isinstance(choice, str):
        return None if choice is None else dict(choice)
    counts = np.bincount(labels, minlength=classes).astype(float)
    weights = np.maximum(counts, 1) ** -POWERS[choice]
    weights *= counts.sum() / (weights * counts).sum()
    return {label: float(weight) for label, weight in enumerate(weights)}


def checked_choice(choice: Any) -> Choice:
    """None, one of the names, or a dict of class numbers and weights; raise ArgumentError for anything else."""
    if isinstance(choice, Mapping):
        return checked_class_weight(dict(choice))
    if choice is None or (isinstance(choice, str) and choice in POWERS):
        return choice
    names = ", ".join(map(repr, POWERS))
    raise ArgumentError(f"policy: class_weight must be None, {names} or a dict of weights; it is {choice!r}")
