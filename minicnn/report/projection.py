"""Features of many numbers as points on a page: near where the network finds pictures alike."""

from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = 600  # pictures on a page
FEWEST = 6
COMPONENTS = 50  # that t-SNE begins from


@dataclass(frozen=True)
class Projection:
    """Points (N,2) of N pictures, the rows that these are of, and how they were found."""

    name: str
    detail: str
    points: np.ndarray
    rows: np.ndarray


def projections(features: np.ndarray) -> list[Projection]:
    """
    PCA, and t-SNE where scikit-learn is installed, of at most MOST rows drawn evenly; none of less than FEWEST.

    Parameters
    ----------
    features : float (N,D)
    """
    rows = np.unique(np.linspace(0, len(features) - 1, min(len(features), MOST)).round().astype(int))
    if len(rows) < FEWEST:
        return []
    scores, share = principal_components(features[rows], COMPONENTS)
    if not share.any():
        return []
    detail = f"the two directions in which pictures differ most; they hold {share[:2].sum():.0%} of the differences"
    found = [Projection("PCA", detail, _two_columns(scores), rows)]
    return found + _tsne(scores, rows)


def principal_components(x: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """
    (scores (N,K), share of the variance of each (K,)) of x (N,D): with x - mean = U S Vᵀ, scores = U S.

    Each direction points so that the largest of its scores is positive, which no library leaves to chance.

    Examples
    --------
    >>> scores, share = principal_components(np.array([[0.0, 0], [2, 0], [4, 0]]), 2)
    >>> np.abs(scores[:, 0]).round(3).tolist(), share.round(3).tolist()
    ([2.0, 0.0, 2.0], [1.0, 0.0])
    """
    centred = np.asarray(x, np.float64) - x.mean(axis=0, dtype=np.float64)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    scores = (u * s)[:, :most]
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    scores *= np.where(largest < 0, -1, 1)
    variance = s**2
    return scores, variance[:most] / max(float(variance.sum()), np.finfo(float).tiny)


def _two_columns(scores: np.ndarray) -> np.ndarray:
    return scores[:, :2] if scores.shape[1] > 1 else np.column_stack([scores, np.zeros(len(scores))])


def _tsne(scores: np.ndarray, rows: np.ndarray) -> list[Projection]:
    """t-SNE of the main components, from their first two on, the same at each run; empty without scikit-learn."""
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        return []
    perplexity = min(30.0, (len(rows) - 1) / 3)
    start = _two_columns(scores) / max(float(scores[:, 0].std()), np.finfo(float).tiny) * 1e-4
    init: Any = start.astype(np.float32)
    points = TSNE(perplexity=perplexity, init=init, random_state=0).fit_transform(scores)
    detail = "neighbours stay neighbours; distances between groups and their sizes say nothing"
    return [Projection("t-SNE", detail, points, rows)]
