"""`CNNFeatures`: a trained network as the first step of a scikit-learn pipeline."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from minicnn.estimators.inputs import read_x, row_width, store_of
from minicnn.transfer.extraction import feature_base, features_of, picture_source


class CNNFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """
    Pictures (N,H,W,C) to the features (N,D) that a trained network, which stays as it is, sees in them.

    The features of each picture are kept on disk, so a search with k folds over whatever follows costs one pass
    through the network.

    Parameters
    ----------
    base : str, path, Base or Model
        A network as `minicnn.transfer.load_base` knows it, or a model of yours.
    weights : str or path
        For a base that has a name: "imagenet" or a file.
    device : str
        "cpu" or "cuda": where a base by its name or its file computes; a Base or a model computes where it is.
    layer : str, optional
        Whose outputs are the features; when None, what the network's classifier sees.
    pooling : "avg", "max" or None
        The mean or the largest of each channel of maps, or all that is in them in a row.
    image_shape : (H, W) or (H, W, C), optional
        Rows (N,H·W·C) are flat pictures of this shape.
    cache : bool or path
        Whether features are kept in the user's cache folder, or a folder for them.

    Attributes
    ----------
    takes_pictures_ : bool
        Whether it was fitted to pictures.
    base_ : Base or None
        The network up to the features, and how pictures are prepared for it.
    n_features_in_, feature_names_in_
        Where it was fitted to rows.

    Notes
    -----
    X is uint8 pictures of one size, or a list of pictures of any size, Pillow's among them, or of files, as a
    column of a table may be; floats are what the network takes.  Rows without an `image_shape` are no pictures: they
    count as features and come out as they are, with a warning.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> dark, bright = np.zeros((8, 64, 64, 3), np.uint8), np.full((8, 64, 64, 3), 200, np.uint8)
    >>> photos = np.concatenate([dark, bright]) + np.arange(16, dtype=np.uint8)[:, None, None, None]
    >>> classifier = make_pipeline(CNNFeatures("bundled", cache=False), SVC()).fit(photos, ["night"] * 8 + ["day"] * 8)
    >>> classifier.predict(photos[[0, 15]]).tolist()
    ['night', 'day']
    """

    def __init__(
        self,
        base: Any = "mobilenet",
        *,
        weights: str | Path = "imagenet",
        device: str = "cpu",
        layer: str | None = None,
        pooling: str | None = "avg",
        image_shape: tuple[int, ...] | None = None,
        cache: bool | str | Path = True,
    ):
        self.base = base
        self.weights = weights
        self.device = device
        self.layer = layer
        self.pooling = pooling
        self.image_shape = image_shape
        self.cache = cache

    def fit(self, X: Any, y: Any = None) -> "CNNFeatures":
        """Load the network; nothing is learned from X."""
        X, pictures = read_x(self, X, reset=True)
        if pictures:
            base = feature_base(self.base, self.weights, self.layer, self.pooling, self.device)
            width = row_width(base)
        else:
            base, width = None, X.shape[1]
            warnings.warn(
                f"CNNFeatures: rows of {X.shape[1]} numbers are no pictures and stay as they are; give pictures "
                "(N,H,W,C), or say with image_shape=(H,W,C) that rows are flat pictures",
                stacklevel=2,
            )
        self.takes_pictures_, self.base_, self._n_features_out = pictures, base, width  # all, or after a refusal none
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The features (N,D) of pictures."""
        check_is_fitted(self, "base_")
        X, _ = read_x(self, X, reset=False)
        if self.base_ is None:
            return X
        found = features_of(self.base_, picture_source(X, self.base_), store_of(self.cache))
        return found.reshape(len(found), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
