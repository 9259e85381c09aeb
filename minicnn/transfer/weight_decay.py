"""How strongly to hold back the weights of a head: chosen by cross-validation inside the training pictures.

The objective of a softmax head on standardised features x (N,D) with one-hot labels y (N,C) is

    L(W, b) = mean_n [ -log softmax(x_n W + b)[y_n] ] + decay/2 · ‖W‖².

It is convex, so candidates can be compared at its minimum, whatever trains the head later.  All candidates are
solved at once: their weights stand side by side in one array (D,L,C).
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from minicnn import kernels
from minicnn.data.split import Split, stratified_folds
from minicnn.errors import DataError

CANDIDATES = np.logspace(0.5, -4, 10).astype(np.float32)
DEFAULT = 0.1
STEPS = 40
INNER_FOLDS = 4


def choose_weight_decay(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    *,
    seed: int = 0,
    keys: list[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> float:
    """
    The candidate with the smallest mean log-loss on inner validation folds.

    Parameters
    ----------
    features : float32 (N,D)
        Standardised or not; each inner fold is standardised by its own training part.
    labels : int (N,)
    classes : int
        C.
    keys : list of str, optional
        Content hashes: copies of one picture stay in one fold.
    progress : function, optional
        Called as progress(step, done, total).

    Returns
    -------
    float
        0.1 when a class has fewer than two different pictures, so that no inner folds exist.
    """
    folds = _inner_folds(labels, seed, keys)
    if not folds:
        return DEFAULT
    one_hot = np.eye(classes, dtype=np.float32)[labels]
    total = np.zeros(len(CANDIDATES))
    for fold, steps in zip(folds, _told_steps(len(folds), progress)):
        mean, scale = standardiser(features[fold.train])
        weights, bias = softmax_path((features[fold.train] - mean) / scale, one_hot[fold.train], CANDIDATES, steps)
        total += log_losses((features[fold.validation] - mean) / scale, one_hot[fold.validation], weights, bias)
    return float(CANDIDATES[int(np.argmin(total))])


def _told_steps(folds: int, progress: Callable[[str, int, int], None] | None) -> Iterator[Iterable[int]]:
    """The steps of each fold; progress hears of those that are done, of all folds together."""

    def told(done: int) -> None:
        if progress is not None:
            progress("choosing the weight decay", done, folds * STEPS)

    def steps(fold: int) -> Iterator[int]:
        for step in range(STEPS):
            yield step
            told(fold * STEPS + step + 1)

    told(0)
    for fold in range(folds):
        yield steps(fold)


def _inner_folds(labels: np.ndarray, seed: int, keys: list[str] | None) -> list[Split]:
    """As many folds as the smallest class allows, at most INNER_FOLDS; none when that is less than two."""
    for count in range(INNER_FOLDS, 1, -1):
        try:
            return stratified_folds(labels, count, seed=seed + 1, keys=keys)
        except DataError:
            continue
    return []


def standardiser(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, scale), each float32 (D,), so that (features - mean) / scale has mean 0 and deviation 1.

    A feature that does not vary keeps scale 1: it becomes 0 instead of noise.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = features.std(axis=0, dtype=np.float64)
    deviation[deviation < 1e-6 * max(float(deviation.max(initial=0.0)), 1e-30)] = 1.0
    return mean.astype(np.float32), deviation.astype(np.float32)


def softmax_path(
    x: np.ndarray, y: np.ndarray, decays: np.ndarray, steps: Iterable[int] = range(STEPS)
) -> tuple[np.ndarray, np.ndarray]:
    """
    Minimise L for each of `decays` by accelerated gradient steps along the principal axes of x.

    Along an axis with eigenvalue e of xᵀx / N the second derivative of L is at most e/2 + decay, so the step there is
    the gradient divided by that: correlated features cost no extra steps.

    Parameters
    ----------
    x : float32 (N,D)
        Of mean 0.
    y : float32 (N,C)
        One-hot.
    decays : float32 (L,)
    steps : iterable
        A step is made for each of its elements.

    Returns
    -------
    (weights, bias)
        float32 (D,L,C) and (1,L,C).

    Source
    ------
    D. Böhning, Multinomial logistic regression algorithm (1992), for the bound; Y. Nesterov, A method of solving a
    convex programming problem with convergence rate O(1/k²) (1983), for the acceleration.
    """
    count, depth, classes = len(x), len(decays), y.shape[1]
    axes, eigenvalues = principal_axes(x)
    along = kernels.dense.forward(x, axes)
    decay = decays.astype(np.float32)[None, :, None]
    rate = 1 / (eigenvalues[:, None, None] / (2 * count) + decay)
    weights = look = np.zeros((axes.shape[1], depth, classes), np.float32)
    bias = look_bias = np.zeros((1, depth, classes), np.float32)
    t = 1.0
    for _ in steps:
        residual = (_probabilities(along, look, look_bias) - y[:, None]) / np.float32(count)
        slope = kernels.dense.backward_weights(along, residual.reshape(count, depth * classes)).reshape(look.shape)
        gradient = slope + decay * look
        new_weights = look - rate * gradient
        new_bias = look_bias - 2 * residual.sum(axis=0, keepdims=True)
        t, momentum = (1 + np.sqrt(1 + 4 * t * t)) / 2, t - 1
        momentum = np.float32(momentum / t)
        look = new_weights + momentum * (new_weights - weights)
        look_bias = new_bias + momentum * (new_bias - bias)
        weights, bias = new_weights, new_bias
    return (axes @ weights.reshape(len(eigenvalues), depth * classes)).reshape(len(axes), depth, classes), bias


def principal_axes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(axes (D,R), eigenvalues (R,)) of xᵀx, by the smaller of xᵀx and xxᵀ, without directions that do not vary."""
    count, width = x.shape
    values, vectors = np.linalg.eigh(x.T @ x if width <= count else x @ x.T)
    kept = values > 1e-6 * max(float(values[-1]), 1e-30)
    values, vectors = values[kept], vectors[:, kept]
    axes = vectors if width <= count else (x.T @ vectors) / np.sqrt(values)
    return np.ascontiguousarray(axes), values


def log_losses(x: np.ndarray, y: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Mean of -log softmax at the true class, float64 (L,), for each of the L solutions."""
    right = (_probabilities(x, weights, bias) * y[:, None]).sum(axis=-1)
    return -np.log(np.maximum(right, 1e-12)).mean(axis=0, dtype=np.float64)


def _probabilities(x: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """softmax(x W + b), (N,L,C)."""
    width, depth, classes = weights.shape
    logits = kernels.dense.forward(x, weights.reshape(width, depth * classes))
    logits = logits.reshape(len(x), depth, classes) + bias
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)
    return logits
