"""Random targets and scores, cut into batches."""

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st


@st.composite
def scored(draw: Any, least_classes: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class numbers (N,), scores (N,C) without ties, weights (N,); some classes may never occur."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, classes = draw(st.integers(1, 40)), draw(st.integers(least_classes, 6))
    return rng.integers(0, draw(st.integers(1, classes)), n), rng.random((n, classes)), rng.uniform(0.1, 2, n)


@st.composite
def binary(draw: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels 0 and 1 (N,), of both kinds, scores (N,) with ties, weights (N,)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 60))
    labels = rng.permutation(np.append([0, 1], rng.integers(0, 2, n - 2)))
    return labels, rng.integers(0, draw(st.sampled_from([2, 5, 1000])), n) / 1000, rng.uniform(0.1, 2, n)


def in_batches(metric: Any, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray | None = None) -> Any:
    """The result after the samples came in three batches, the last of which may be empty."""
    cuts = [0, len(y_true) // 3, len(y_true), len(y_true)]
    for start, stop in pairwise(cuts):
        part = slice(start, stop)
        metric.update_state(y_true[part], y_pred[part], None if weights is None else weights[part])
    return metric.result()
