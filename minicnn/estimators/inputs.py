"""What estimators take as X: pictures, or rows of numbers, which count as features already."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.transfer.base import Base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import default_cache
from minicnn.transfer.labelled import are_files


def read_x(estimator: Any, X: Any, reset: bool) -> tuple[Any, bool]:
    """
    (X, whether it is pictures), checked as scikit-learn checks rows.

    Parameters
    ----------
    estimator
        Learns from rows, where `reset` is true, how many numbers and which names they have.
    X : array (N,H,W,C) or (N,H,W); list or array of N pictures of any size, or of files, as a column of a table is one
        Or rows (N,D), which become pictures where the estimator has an `image_shape`.

    Raises
    ------
    ArgumentError
        X is a folder.
    DataError
        X is pictures and files mixed.
    ShapeError
        The estimator was fitted to pictures and is given rows, or the other way round, or rows of another size than
        `image_shape`.
    ValueError, TypeError
        Rows that scikit-learn refuses.
    """
    if isinstance(X, str | Path):
        raise ArgumentError(
            f"{type(estimator).__name__}: X is pictures or a list of files, and is {str(X)!r}; of a folder with one "
            "folder a class: found = minicnn.data.scan_folder(...), then fit(found.files, found.labels)"
        )
    X = _without_column(X)
    _check_one_kind(estimator, X)
    pictures = _are_pictures(X)
    if not pictures and estimator.image_shape is not None:
        X, pictures = _as_images(X, tuple(estimator.image_shape)), True
    if pictures and reset:
        for of_rows in ("n_features_in_", "feature_names_in_"):  # from a fit before
            vars(estimator).pop(of_rows, None)
    if not pictures:
        X = validate_data(estimator, X, reset=reset, dtype=(np.float64, np.float32))
    if not reset and pictures != estimator.takes_pictures_:
        taken, given = ("pictures", "rows of numbers")[:: 1 if estimator.takes_pictures_ else -1]
        raise ShapeError(f"{type(estimator).__name__} was fitted to {taken} and is given {given}")
    return X, pictures


def row_width(base: Base) -> int:
    """D of the features (N,D) of a base, of maps all that is in them.

    Raises
    ------
    ArgumentError
        Maps whose sides are those of the pictures.
    """
    shape = base.model.output_shape[1:]
    if None in shape:
        raise ArgumentError(
            f"the features of {base.name} are maps {shape}, as large as the pictures: take pooling='avg' or 'max'"
        )
    return int(np.prod(shape))


def store_of(cache: bool | str | Path) -> FeatureCache | None:
    """The cache that the estimators' argument means."""
    if isinstance(cache, bool):
        return default_cache() if cache else None
    return FeatureCache(cache)


def row_hashes(rows: np.ndarray) -> list[str]:
    """SHA-256 of each row: copies have the same."""
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in np.ascontiguousarray(rows)]


def _without_column(X: Any) -> Any:
    """X, the list of its pictures where it is a column of a table, as pandas and polars have, or an array of them."""
    if hasattr(X, "to_numpy") and len(X.shape) == 1:
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1 and not are_files(X):
        return list(X)
    return _stacked(X) if isinstance(X, np.ndarray) and X.dtype == object and X.ndim > 2 else X


def _stacked(X: np.ndarray) -> np.ndarray:
    """Pixels as numbers, of which NumPy makes objects where a list of equal pictures becomes an array of objects."""
    numbers = np.array(X.tolist())
    whole = numbers.dtype.kind in "iu" and numbers.size and numbers.min() >= 0 and numbers.max() <= 255
    return numbers.astype(np.uint8) if whole else numbers


def _check_one_kind(estimator: Any, X: Any) -> None:
    """Refuse pictures and files in one list."""
    if isinstance(X, list | tuple):
        file = next((place for place, x in enumerate(X) if isinstance(x, str | Path)), None)
        picture = next((place for place, x in enumerate(X) if _is_picture(x)), None)
        if file is not None and picture is not None:
            raise DataError(
                f"{type(estimator).__name__}: X is all pictures or all files; number {file} is the file "
                f"{str(X[file])!r} and number {picture} a picture: minicnn.data.read_image(file).pixels reads a file"
            )


def _are_pictures(X: Any) -> bool:
    """Whether these are arrays of pixels or paths, and not rows (N,D), tables or sparse matrices."""
    if isinstance(X, list | tuple) and len(X) and all(map(_is_picture, X)):
        return True
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1):
        return are_files(X)
    return isinstance(X, np.ndarray) and X.ndim > 2


def _is_picture(x: Any) -> bool:
    """Whether it is an array of pixels, or a picture of Pillow."""
    return (isinstance(x, np.ndarray) and x.ndim > 1) or isinstance(getattr(x, "mode", None), str)


def _as_images(rows: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of pixels (N,H·W·C) as pictures (N,H,W,C)."""
    array = np.asarray(rows)
    if array.shape[1:] != (np.prod(shape),):
        raise ShapeError(f"image_shape is {shape}, so rows have {np.prod(shape)} numbers; got an array {array.shape}")
    return array.reshape(len(array), *shape)
