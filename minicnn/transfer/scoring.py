"""How far the features of a trained network will carry, told without training: LEEP, LogME and the H-score.

Each says of features (N,D), or of the network's own class probabilities (N,Z), how much they tell of the new labels
(N,).  Higher is better; they order bases for one set of pictures and mean nothing across sets.
"""

import numpy as np
from numpy.typing import ArrayLike

from minicnn.arguments import switch
from minicnn.errors import DataError, ShapeError
from minicnn.metrics.probabilities import checked_probabilities
from minicnn.utils import one_hot, whole_numbers

WIDEST = 1e12  # the ratio of prior and noise lies within 1/WIDEST .. WIDEST: it would be 0 where features tell all
POINTS, ZOOMS = 257, 4


def leep(source_probabilities: ArrayLike, labels: ArrayLike) -> float:
    """
    LEEP = 1/N Σₙ log Σ_z P(yₙ|z) θ(xₙ)_z,  with  P(y,z) = 1/N Σ_{n: yₙ = y} θ(xₙ)_z  and  P(y|z) = P(y,z) / P(z):
    the log-likelihood of the labels, when a class z of the source is drawn first, and then y by how often they met.

    Parameters
    ----------
    source_probabilities : θ (N,Z)
        What the network says of its own classes; rows sum to 1.
    labels : int (N,)

    Returns
    -------
    float
        At most 0.

    Raises
    ------
    DataError, ShapeError
        Rows that are no probabilities; arrays that do not fit.

    Source
    ------
    C. V. Nguyen et al., LEEP: a new measure to evaluate transferability of learned representations (ICML 2020),
    equations 1 and 2.

    Examples
    --------
    >>> round(leep([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8]], [0, 0, 1, 1]), 3)
    -0.295
    """
    classes = _classes(labels, "leep")
    theta = np.asarray(source_probabilities)
    _, theta = checked_probabilities(np.zeros(len(theta), np.int64), theta, "leep")
    theta = theta.astype(np.float64)
    _check_lengths(theta, classes, "leep")
    joint = one_hot(classes, int(classes.max()) + 1, np.float64).T @ theta  # (C,Z)
    given = joint / np.maximum(joint.sum(axis=0), np.finfo(np.float64).tiny)
    return float(np.log(np.sum(theta * given[classes], axis=1)).mean())


def log_me(features: ArrayLike, labels: ArrayLike) -> float:
    """
    LogME = 1/C Σ_c max over (α, β) of log p(y_c | F, α, β) / N: the evidence of linear regression on the features.

    For each class y_c (N,) is 1 for its pictures and 0 for others, and y_c = F w + noise with w ~ N(0, 1/α) and noise
    ~ N(0, 1/β).  With A = α I + β FᵀF and m = β A⁻¹ Fᵀ y,

        2 log p = N log β + D log α - N log 2π - β ‖F m - y‖² - α mᵀm - log |A|.

    With λ = α/β and Q = ‖F m - y‖² + λ mᵀm the best β is N / Q; what is left, for singular values sᵢ of F,

        2 log p = N log(N / 2πQ) - N - Σᵢ log(1 + sᵢ²/λ),

    is searched over λ, since it can have several maxima.

    Parameters
    ----------
    features : F (N,D)
    labels : int (N,), of at least two classes

    Raises
    ------
    DataError, ShapeError
        One class only; features that are not finite; arrays that do not fit.

    Source
    ------
    K. You et al., LogME: practical assessment of pre-trained models for transfer learning (ICML 2021), section 4; their
    fixed point, D. MacKay's in Bayesian interpolation (1992), ends in the maximum nearest to where it begins.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [0.1, 0.9], [1.0, 0.1], [0.9, 0.0]])
    >>> log_me(x, [0, 0, 1, 1]) > log_me(x, [0, 1, 0, 1])
    True
    """
    x, classes = _checked(features, labels, "log_me")
    if not x.any():
        raise DataError("log_me: the features are 0 for all samples")
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    squares = np.square(singular / max(singular[0], np.finfo(np.float64).tiny))  # α takes up the scale of F
    targets = one_hot(classes, int(classes.max()) + 1, np.float64)
    along = (left.T @ targets) ** 2
    outside = np.maximum((targets**2).sum(axis=0) - along.sum(axis=0), 0)
    evidences = [_evidence(squares, along[:, c], float(outside[c]), len(x)) for c in range(along.shape[1])]
    return float(np.mean(evidences))


def _evidence(squares: np.ndarray, along: np.ndarray, outside: float, count: int) -> float:
    """The largest log evidence / N, from squared singular values, y² along them, and what of y² lies outside them."""

    def at(logs: np.ndarray) -> np.ndarray:
        ratios = np.exp(logs)[:, None]
        misfit = outside + np.sum(along * ratios / (ratios + squares), axis=1)
        penalty = np.log1p(squares / ratios).sum(axis=1)
        return (count * (np.log(count / (2 * np.pi * misfit)) - 1) - penalty) / (2 * count)

    logs = np.linspace(-np.log(WIDEST), np.log(WIDEST), POINTS)
    for _ in range(ZOOMS):
        best = int(at(logs).argmax())
        logs = np.linspace(logs[max(best - 1, 0)], logs[min(best + 1, POINTS - 1)], POINTS)
    return float(at(logs).max())


def h_score(features: ArrayLike, labels: ArrayLike, shrinkage: bool = False) -> float:
    """
    H = tr(Σ⁻¹ Σ_B), with Σ the covariance of the features and Σ_B that of their class means: between 0 and C - 1.

    Where there are hardly more samples than features, Σ follows the samples, and H comes close to C - 1 whatever the
    features are.  `shrinkage` puts S = (1 - λ) Σ + λ tr(Σ)/D I in its place, with Ledoit and Wolf's λ, and (1 - λ) Σ_B:
    use it to compare bases whose features have different widths.

    Parameters
    ----------
    features : (N,D)
    labels : int (N,), of at least two classes

    Raises
    ------
    DataError, ShapeError
        One class only; features that are not finite, or do not vary; arrays that do not fit.

    Source
    ------
    Y. Bao et al., An information-theoretic approach to transferability in task transfer learning (ICIP 2019),
    definition 2; S. Ibrahim, N. Ponomareva and R. Mazumder, Newer is not always better (2022), for the shrinkage;
    O. Ledoit and M. Wolf, A well-conditioned estimator for large-dimensional covariance matrices (2004), for λ.

    Examples
    --------
    >>> round(h_score([[0.0], [0.0], [1.0], [1.0]], [0, 0, 1, 1]), 6)
    1.0
    """
    x, classes = _checked(features, labels, "h_score")
    switch("h_score", "shrinkage", shrinkage)
    x = x - x.mean(axis=0)
    if not x.any():
        raise DataError("h_score: the features are the same for all samples")
    members = one_hot(classes, int(classes.max()) + 1, np.float64)
    sizes = members.sum(axis=0)
    means = (members.T @ x) / sizes[:, None]
    between = means.T * np.sqrt(sizes / len(x))  # (D,C): Σ_B is this times its transpose
    share = ledoit_wolf_share(x) if shrinkage else 0.0
    axes, values = _principal(x)
    rest = share * float(np.square(x).sum()) / x.size
    inside = np.square(axes.T @ between).sum(axis=1) / ((1 - share) * values + rest)
    return float((1 - share) * inside.sum())


def ledoit_wolf_share(x: np.ndarray) -> float:
    """
    λ of S = (1 - λ) Σ + λ μ I, whose expected squared distance to the true covariance is least, for x (N,D) of mean 0.

    With μ = tr(Σ)/D, d² = ‖Σ - μ I‖² and b² = Σₙ ‖xₙxₙᵀ - Σ‖² / N², λ = min(b², d²) / d².

    Examples
    --------
    >>> ledoit_wolf_share(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    0.0
    """
    count, width = x.shape
    if width == 1:
        return 0.0
    gram = x @ x.T if count < width else x.T @ x
    norm = np.square(gram).sum() / count**2  # ‖Σ‖²
    distance = norm - (np.square(x).sum() / count) ** 2 / width
    noise = (np.square(np.square(x).sum(axis=1)).sum() / count - norm) / count
    return float(min(max(noise, 0.0), distance) / distance) if distance > 0 else 0.0


def _principal(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes (D,R) along which x (N,D) of mean 0 varies, and its variance along each (R,)."""
    _, singular, axes = np.linalg.svd(x, full_matrices=False)
    kept = singular > singular[0] * max(x.shape) * np.finfo(np.float64).eps
    return axes[kept].T, singular[kept] ** 2 / len(x)


def _checked(features: ArrayLike, labels: ArrayLike, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Features (N,D) in float64, and numbers (N,) of at least two classes, all of which occur."""
    x, classes = np.asarray(features), _classes(labels, owner)
    if x.ndim != 2 or x.dtype.kind not in "fiu":
        raise ShapeError(f"{owner}: features are numbers (N,D); got {x.dtype} of shape {x.shape}")
    _check_lengths(x, classes, owner)
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        raise DataError(f"{owner}: {np.count_nonzero(~np.isfinite(x))} of the features are not finite")
    if classes.max() < 1:
        raise DataError(f"{owner}: all samples are of one class: there is nothing to tell apart")
    return x, classes


def _classes(labels: ArrayLike, owner: str) -> np.ndarray:
    """Class numbers (N,), counted anew without those that do not occur."""
    classes = whole_numbers(labels, owner)
    if classes.ndim != 1 or not classes.size or classes.min() < 0:
        raise ShapeError(f"{owner}: labels are class numbers (N,) from 0 on; got shape {classes.shape}")
    return np.unique(classes, return_inverse=True)[1]


def _check_lengths(rows: np.ndarray, classes: np.ndarray, owner: str) -> None:
    if len(rows) != len(classes):
        raise ShapeError(f"{owner}: there are {len(rows)} rows and {len(classes)} labels")
