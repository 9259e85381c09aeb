"""From counts to statements: intervals for an accuracy."""

import math
from collections.abc import Sequence

import numpy as np

from minicnn.errors import ArgumentError

NORMAL_975 = 1.959964


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """
    95 % interval of a share: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).

    Unlike p ± z√(p(1-p)/n) it stays inside [0, 1] and does not shrink to nothing at p = 1.

    Source
    ------
    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    Examples
    --------
    >>> tuple(round(limit, 3) for limit in wilson_interval(8, 10))
    (0.49, 0.943)
    """
    if not 0 <= correct <= total or total == 0:
        raise ArgumentError(f"correct = {correct} of total = {total}: expected 0 <= correct <= total, total > 0")
    share, z2 = correct / total, NORMAL_975**2
    centre = share + z2 / (2 * total)
    half = NORMAL_975 * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return max((centre - half) / (1 + z2 / total), 0.0), min((centre + half) / (1 + z2 / total), 1.0)


def student_975(freedom: int) -> float:
    """
    The t with P(T ≤ t) = 0.975 for Student's distribution, by bisection of its integral.

    Examples
    --------
    >>> round(student_975(4), 3)
    2.776
    """
    log_scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)

    def share_below(t: float) -> float:
        x = np.linspace(0, t, 4001)
        density = np.exp(log_scale - (freedom + 1) / 2 * np.log1p(x**2 / freedom))
        return 0.5 + float((density.sum() - (density[0] + density[-1]) / 2) * (x[1] - x[0]))

    low, high = 1.0, 13.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if share_below(middle) < 0.975 else (low, middle)
    return (low + high) / 2


def mean_interval(values: Sequence[float], test_share: float = 0.0) -> tuple[float, tuple[float, float]]:
    """
    Mean of k values and its 95 % interval, mean ± t₀.₉₇₅(k-1) s √(1/k + n_test/n_train).

    `test_share` is n_test/n_train for values of which each was found by training on n_train samples and judging n_test
    others of the same set: such values are not independent, and s/√k is too small (Nadeau and Bengio, 2003).

    Examples
    --------
    >>> mean, (low, high) = mean_interval([0.60, 0.64, 0.62])
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (0.62, 0.57, 0.67)
    """
    if len(values) < 2:
        raise ArgumentError(f"an interval needs at least 2 values, got {len(values)}")
    mean = float(np.mean(values))
    half = student_975(len(values) - 1) * float(np.std(values, ddof=1)) * math.sqrt(1 / len(values) + test_share)
    return mean, (mean - half, mean + half)


def folds_interval(accuracies: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """
    Mean and 95 % interval, within [0, 1], of the accuracies of a k-fold cross-validation: it trains on k-1 parts and
    judges one.

    Examples
    --------
    >>> mean, (low, high) = folds_interval([0.60, 0.64, 0.62])
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (0.62, 0.541, 0.699)
    """
    mean, (low, high) = mean_interval(accuracies, 1 / max(len(accuracies) - 1, 1))
    return mean, (max(low, 0.0), min(high, 1.0))
