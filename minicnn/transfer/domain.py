"""How far two sets of pictures lie apart in what a network sees, and moving one set's features onto the other's.

Features are (N,D) of the source, on which labels are known, and (M,D) of the target.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import number, whole_number
from minicnn.data import stratified_folds
from minicnn.errors import DataError, ShapeError
from minicnn.transfer.weight_decay import DEFAULT, softmax_path, standardiser


@dataclass(frozen=True)
class DomainGap:
    """
    What is told of the distance of two sets of features.

    Attributes
    ----------
    proxy_a_distance : float
        2 (1 - 2 error), in [0, 2]; 0 where the sets cannot be told apart, 2 where they always are.
    error : float
        Share of the features, kept aside, that a linear classifier puts into the wrong set.
    mmd2 : float
        The unbiased estimate of the squared maximum mean discrepancy; about 0, or below, for sets of one kind.
    p_value : float
        How often sets that are mixed at random are as far apart by MMD.
    """

    proxy_a_distance: float
    error: float
    mmd2: float
    p_value: float

    def __str__(self) -> str:
        apart = "differ" if self.p_value < 0.05 else "were not told apart"
        return (
            f"source and target {apart}: proxy A-distance {self.proxy_a_distance:.2f} of 2 (a linear classifier errs "
            f"in {self.error:.1%}), MMD² {self.mmd2:.4f} (p = {self.p_value:.3f})"
        )


def domain_gap(
    source: ArrayLike, target: ArrayLike, *, folds: int = 5, permutations: int = 200, seed: int = 0
) -> DomainGap:
    """
    The proxy A-distance and the MMD of two sets of features.

    Parameters
    ----------
    source, target : (N,D), (M,D)
    folds : int
        Of the cross-validation behind the A-distance.
    permutations : int
        Random mixtures behind the p-value.

    Raises
    ------
    ShapeError, DataError, ArgumentError
        Features that do not fit, are too few or not finite.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> near, far = generator.normal(size=(50, 3)), generator.normal(size=(50, 3)) + 4
    >>> print(domain_gap(near, far))
    source and target differ: proxy A-distance 2.00 of 2 (a linear classifier errs in 0.0%), MMD² 1.1270 (p = 0.005)
    """
    error = domain_error(source, target, folds=folds, seed=seed)
    mmd2, p_value = mmd(source, target, permutations=permutations, seed=seed)
    return DomainGap(max(2 * (1 - 2 * error), 0.0), error, mmd2, p_value)


def domain_error(source: ArrayLike, target: ArrayLike, *, folds: int = 5, seed: int = 0) -> float:
    """
    The error of a linear classifier of source against target, by stratified cross-validation.

    The classifier is a softmax with some weight decay on standardised features.  Of the larger set, as many samples as
    the smaller has are drawn, so that guessing errs in half of them.

    Source
    ------
    S. Ben-David et al., Analysis of representations for domain adaptation (NIPS 2006), section 4, whose distance is
    2 (1 - 2 error).

    Examples
    --------
    >>> domain_error([[0.0], [0.1], [0.2]], [[5.0], [5.1], [5.2]], folds=3)
    0.0
    """
    x, y = _checked(source, target, "domain_error")
    generator, size = np.random.default_rng(seed), min(len(x), len(y))
    x, y = (part[generator.permutation(len(part))[:size]] for part in (x, y))
    both, side = np.concatenate([x, y]), np.repeat([0, 1], size)
    wrong = 0
    for split in stratified_folds(side, min(folds, size), seed=seed):
        mean, scale = standardiser(both[split.train])
        scaled = ((both - mean) / scale).astype(np.float32)
        rows = np.eye(2, dtype=np.float32)[side[split.train]]
        weights, bias = softmax_path(scaled[split.train], rows, np.array([DEFAULT], np.float32))
        logits = scaled[split.validation] @ weights[:, 0] + bias[0]
        wrong += int((logits.argmax(axis=1) != side[split.validation]).sum())
    return wrong / len(both)


def mmd(source: ArrayLike, target: ArrayLike, *, permutations: int = 200, seed: int = 0) -> tuple[float, float]:
    """
    (MMD², p):  MMD² = mean_{i≠j} k(xᵢ,xⱼ) + mean_{i≠j} k(yᵢ,yⱼ) - 2 mean_{ij} k(xᵢ,yⱼ),  k(a,b) = exp(-‖a-b‖² / 2σ²)
    with σ the median distance of two of all samples.

    The estimate is unbiased and may be below 0.  p = (1 + mixtures with as large a value) / (1 + mixtures).  Memory and
    time grow with (N+M)².

    Source
    ------
    A. Gretton et al., A kernel two-sample test (JMLR 2012), equation 3; section 8 for σ.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> value, p = mmd(generator.normal(size=(60, 2)), generator.normal(size=(60, 2)))
    >>> abs(value) < 0.02, p > 0.05
    (True, True)
    """
    whole_number("mmd", "permutations", permutations, 1)
    x, y = _checked(source, target, "mmd")
    kernel = _kernel(np.concatenate([x, y]))
    generator = np.random.default_rng(seed)
    first = np.arange(len(kernel)) < len(x)
    members = np.stack([first, *(generator.permutation(first) for _ in range(permutations))], axis=1)
    values = _mmd_of(kernel, members.astype(np.float64))
    as_far = int(np.count_nonzero(values[1:] >= values[0] - 1e-12))
    return float(values[0]), (1 + as_far) / (1 + permutations)


def _kernel(samples: np.ndarray) -> np.ndarray:
    """k of every two samples, 0 on the diagonal, whose mean is not asked for."""
    samples = samples - samples.mean(axis=0)  # far from 0 the squares would swallow the distances
    norms = np.square(samples).sum(axis=1)
    squares = np.maximum(norms[:, None] + norms - 2 * samples @ samples.T, 0)
    distances = np.sqrt(squares[np.triu_indices(len(samples), 1)])
    width = np.median(distances) or distances.mean() or 1.0
    kernel = np.exp(-squares / (2 * width**2))
    np.fill_diagonal(kernel, 0)
    return kernel


def _mmd_of(kernel: np.ndarray, members: np.ndarray) -> np.ndarray:
    """MMD² for each column of members (N+M,B), which are 1 for samples of the source and 0 for those of the target."""
    n = members[:, 0].sum()
    m = len(kernel) - n
    inside = np.sum(members * (kernel @ members), axis=0)
    between = kernel.sum(axis=1) @ members - inside
    outside = kernel.sum() - inside - 2 * between
    return inside / (n * (n - 1)) + outside / (m * (m - 1)) - 2 * between / (n * m)


def coral(source: ArrayLike, target: ArrayLike, ridge: float = 1.0) -> np.ndarray:
    """
    Source features with the means, deviations and correlations of the target's: (x A) with A = C_S^{-1/2} C_T^{1/2}.

    C_S and C_T are the covariances of the features after each set is standardised by itself, plus `ridge` on the
    diagonal; the result has the target's scale, so a classifier trained on it takes the target's features as they are.

    Parameters
    ----------
    source, target : (N,D), (M,D)
    ridge : float

    Returns
    -------
    array (N,D), float64

    Raises
    ------
    ShapeError, DataError, ArgumentError
        Features that do not fit, are too few or not finite.

    Source
    ------
    B. Sun, J. Feng and K. Saenko, Return of frustratingly easy domain adaptation (AAAI 2016), algorithm 1.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> source, target = generator.normal(size=(400, 2)), generator.normal(size=(400, 2)) @ [[3, 1], [0, 1]] + 7
    >>> moved = coral(source, target, ridge=1e-6)
    >>> bool(np.allclose(np.cov(moved.T), np.cov(target.T), atol=1e-3))
    True
    """
    number("coral", "ridge", ridge, "(0, inf)")
    x, y = _checked(source, target, "coral")
    mean, deviation = y.mean(axis=0), y.std(axis=0)
    x, y = _standardised(x), _standardised(y)
    diagonal = ridge * np.eye(x.shape[1])
    whiten, colour = _power(x.T @ x / len(x) + diagonal, -0.5), _power(y.T @ y / len(y) + diagonal, 0.5)
    return x @ whiten @ colour * deviation + mean


def _standardised(features: np.ndarray) -> np.ndarray:
    """Features with mean 0 and deviation 1; what does not vary becomes 0."""
    mean, scale = standardiser(features)
    return (features - mean) / scale


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


def _checked(source: Any, target: Any, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Both sets in float64."""
    x, y = np.asarray(source), np.asarray(target)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not x.shape[1]:
        raise ShapeError(
            f"{owner}: features (N,D) and (M,D) are needed, as extract_features gives them; got {x.shape} and {y.shape}"
        )
    if min(len(x), len(y)) < 2:
        raise DataError(f"{owner}: at least two samples of each set are needed; there are {len(x)} and {len(y)}")
    x, y = x.astype(np.float64), y.astype(np.float64)
    for values, name in ((x, "source"), (y, "target")):
        if not np.isfinite(values).all():
            raise DataError(f"{owner}: {np.count_nonzero(~np.isfinite(values))} features of the {name} are not finite")
    return x, y
