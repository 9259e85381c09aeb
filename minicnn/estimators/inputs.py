"""What estimators take as X: pictures, or rows of numbers, which count as features already."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from minicnn.errors import ShapeError
from minicnn.transfer.extraction import are_files
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache


def read_x(estimator: Any, X: Any, reset: bool) -> tuple[Any, bool]:
    """
    (X, whether it is pictures), checked as scikit-learn checks rows.

    Parameters
    ----------
    estimator
        Learns from rows, where `reset` is true, how many numbers and which names they have.
    X : array (N,H,W,C) or (N,H,W), list of pictures, list or column of a table of files; or rows (N,D)
        Rows become pictures where the estimator has an `image_shape`.

    Raises
    ------
    ShapeError
        The estimator was fitted to pictures and is given rows, or the other way round, or rows of another size than
        `image_shape`.
    ValueError, TypeError
        Rows that scikit-learn refuses.
    """
    if hasattr(X, "to_numpy") and len(X.shape) == 1:  # a column of a table, as pandas and polars have
        X = X.to_numpy()
    pictures = _are_pictures(X)
    if not pictures and estimator.image_shape is not None:
        X, pictures = _as_images(X, tuple(estimator.image_shape)), True
    if not pictures:
        X = validate_data(estimator, X, reset=reset, dtype=(np.float64, np.float32))
    if not reset and pictures != estimator.takes_pictures_:
        taken, given = ("pictures", "rows of numbers")[:: 1 if estimator.takes_pictures_ else -1]
        raise ShapeError(f"{type(estimator).__name__} was fitted to {taken} and is given {given}")
    return X, pictures


def store_of(cache: bool | str | Path) -> FeatureCache | None:
    """The cache that the estimators' argument means."""
    if isinstance(cache, bool):
        return default_cache() if cache else None
    return FeatureCache(cache)


def row_hashes(rows: np.ndarray) -> list[str]:
    """SHA-256 of each row: copies have the same."""
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in np.ascontiguousarray(rows)]


def _are_pictures(X: Any) -> bool:
    """Whether these are arrays of pixels or paths, and not rows (N,D), tables or sparse matrices."""
    if isinstance(X, list | tuple) and len(X) and all(isinstance(x, np.ndarray) and x.ndim > 1 for x in X):
        return True
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1):
        return are_files(X)
    return isinstance(X, np.ndarray) and X.ndim > 2


def _as_images(rows: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of pixels (N,H·W·C) as pictures (N,H,W,C)."""
    array = np.asarray(rows)
    if array.shape[1:] != (np.prod(shape),):
        raise ShapeError(f"image_shape is {shape}, so rows have {np.prod(shape)} numbers; got an array {array.shape}")
    return array.reshape(len(array), *shape)
