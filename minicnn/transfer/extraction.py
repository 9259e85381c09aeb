"""`extract_features`: what a trained network sees in pictures, as rows of numbers for any other learner.

Each picture's features are kept under a key of their own, so that any selection of pictures that were seen before, as
the folds of a cross-validation are, costs no pass through the network.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import load_images
from minicnn.data.load import file_hashes
from minicnn.errors import ArgumentError, DataError, DTypeError, ShapeError
from minicnn.models.arrays import as_array
from minicnn.models.identity import kernels_text
from minicnn.models.network import Network
from minicnn.preparation import MODES
from minicnn.preparation.preparation import as_picture
from minicnn.transfer.base import Base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import Progress, check_frozen, halves, model_hash
from minicnn.transfer.kept_features import BATCH, KeptFeatures
from minicnn.transfer.known_pictures import refuse_changed
from minicnn.transfer.labelled import are_files, store_of
from minicnn.transfer.samples import AsGiven, check_finite, check_floats
from minicnn.transfer.surgery import features_at
from minicnn.transfer.tuning import base_of


def extract_features(
    model: Any,
    images: Any,
    *,
    layer: str | None = None,
    pooling: str | None = "avg",
    weights: str | Path = "imagenet",
    device: str = "cpu",
    cache: FeatureCache | bool = False,
    progress: Progress | None = None,
) -> np.ndarray:
    """
    The features (N,D) that a trained network gives for N pictures: a transfer to any learner that takes rows.

    Parameters
    ----------
    model : str, path, Base or Model
        A base as `load_base` knows it, or a model of yours, which stays as it is.
    images : array or list
        uint8 (N,H,W,3) or grey (N,H,W), or a list of such pictures of any size, Pillow's among them, or N paths of
        files: resized and prepared as the base wants it.  Floats, of one size, are what the network takes.
    layer : str, optional
        Whose outputs are the features; None: what the classifier sees.
    pooling : "avg", "max" or None
        What becomes of maps (N,H,W,C): the mean or the largest of each channel (N,C), or nothing.
    weights, device : as in `base_of`, for a base by its name or its file
    cache : FeatureCache or bool
        Keeps the features of each picture on disk; True: in the user's cache folder.
    progress : function, called as progress("features", done, total)

    Returns
    -------
    float32 (N,D), or (N,H,W,C) for maps without pooling

    Raises
    ------
    ArgumentError : no such layer or pooling, no known way from files to the model's input; with a cache, live layers
    DataError : no pictures, a file that cannot be read, a picture that holds NaN, or features that are not finite
    DTypeError, ShapeError : pictures that are neither uint8 nor all floats; floats of several sizes

    Examples
    --------
    >>> photos = np.random.default_rng(0).integers(0, 256, (4, 40, 50, 3)).astype(np.uint8)
    >>> extract_features("bundled", photos).shape
    (4, 128)
    """
    base, store = feature_base(model, weights, layer, pooling, device), store_of(cache)
    if store is not None and isinstance(model, Network):
        check_frozen(base.model)
    return features_of(base, picture_source(images, base), store, progress)


@dataclass(frozen=True)
class PictureSource:
    """
    N pictures that are read, resized and prepared when they are needed.

    Attributes
    ----------
    hashes : list of str
        N, each of all that a picture's content is.
    read : function
        From some of 0 .. N-1 to an array, of one size.
    preparation : function
        From it to what the network takes.
    """

    hashes: list[str]
    read: Callable[[Sequence[int]], np.ndarray]
    preparation: Any

    def prepared(self, rows: Sequence[int]) -> np.ndarray:
        """Some pictures as the network takes them."""
        return self.preparation(self.read(rows))


def feature_base(
    model: Any,
    weights: str | Path = "imagenet",
    layer: str | None = None,
    pooling: str | None = "avg",
    device: str = "cpu",
) -> Base:
    """A base whose model goes from pictures to the features that `extract_features` describes."""
    base = base_of(model, weights, device)
    whole = model if layer is not None and isinstance(model, Network) else base.model
    return replace(base, model=features_at(whole, layer, pooling))


def features_of(
    base: Base,
    source: PictureSource,
    store: FeatureCache | None = None,
    progress: Progress | None = None,
    storage: str = "float32",
) -> np.ndarray:
    """What a base's model gives for pictures, each computed once, or not at all where the store has it.

    With a `storage` of "float16" it is rounded to that, in the store or without one.
    """
    place = {picture: position for position, picture in enumerate(source.hashes)}  # copies of a picture share one
    positions = np.array(list(place.values()))
    kept = KeptFeatures(store, _key(base.model, source, storage) if store is not None else "", list(place))
    found = {int(row): features for rows, (array,) in kept.read() for row, features in zip(rows, array)}
    missing = np.array([row for row in range(len(place)) if row not in found], np.int64)
    for start in range(0, len(missing), BATCH):
        rows = missing[start : start + BATCH]
        features = base.model.predict(source.prepared(positions[rows].tolist()), batch_size=BATCH)
        if not np.isfinite(features).all():
            raise DataError(f"{base.name} gives features that are not finite: its weights ({base.weights}) are damaged")
        if storage == "float16":
            features = halves(features)
        found |= zip(rows.tolist(), features)
        kept.keep(rows, [features], missing)
        if progress is not None:
            progress("features", len(found), len(place))
    number = {picture: row for row, picture in enumerate(place)}
    return np.stack([found[number[picture]] for picture in source.hashes])


def _key(model: Any, source: PictureSource, storage: str) -> str:
    """A hash of all that features are computed from but the picture."""
    computed = kernels_text(model.device, model.precision)
    parts = ["features of a picture", model_hash(model), str(source.preparation), computed]
    parts += [] if storage == "float32" else [storage]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def picture_source(images: Any, base: Base) -> PictureSource:
    """What a user gave as pictures, for a base; raises as `extract_features`."""
    if isinstance(images, str | Path):
        raise ArgumentError(f"pictures are arrays or a list of files; for a folder: scan_folder({str(images)!r}).files")
    if not len(images):
        raise DataError("there are no pictures")
    if are_files(images):
        return _of_files([Path(file) for file in images], base)
    if isinstance(images, np.ndarray) and images.dtype == object:
        images = list(images)
    if isinstance(base.preparation, AsGiven):
        return _of_arrays(_of_one_size(images))
    if isinstance(images, list | tuple) and all(np.asarray(image).dtype == np.uint8 for image in images):
        return _of_pictures(images, base)
    x = _of_one_size(images)
    if x.dtype == np.uint8:
        return _of_pictures(x, base)
    check_floats(x)
    return _of_arrays(x)


def _of_one_size(images: Any) -> np.ndarray:
    """Pictures that the network takes as they are, as one array."""
    if isinstance(images, list | tuple):
        kinds = sorted({np.asarray(image).dtype.name for image in images})
        if len(kinds) > 1 and "uint8" in kinds:
            raise DTypeError(f"pictures are all uint8, or all floats as the network takes them; got {', '.join(kinds)}")
        sizes = sorted({np.shape(image) for image in images})
        if len(sizes) > 1:
            raise ShapeError(
                f"pictures that the network takes as they are have one size; these have {len(sizes)}, {sizes[0]} and "
                f"{sizes[-1]} among them: resize them, or give uint8 pictures to a base that says how to prepare them"
            )
    return as_array(images, "images")


def _of_files(files: list[Path], base: Base) -> PictureSource:
    if isinstance(base.preparation, AsGiven):
        raise ArgumentError(
            f"model {base.name} does not say how pixels are prepared: set model.metadata['preprocessing'] to "
            f"{', '.join(map(repr, MODES[:-1]))} or {MODES[-1]!r}, or give arrays"
        )

    hashes = list(file_hashes(files))

    def read(rows: Sequence[int]) -> np.ndarray:
        chosen = [files[row] for row in rows]
        loaded = load_images(chosen, base.preparation.rule)
        if loaded.problems:
            raise DataError(f"{loaded.problems[0]}: leave it out")
        refuse_changed(chosen, [hashes[row] for row in rows], loaded.hashes)
        return loaded.images

    return PictureSource(hashes, read, base.preparation)


def _of_pictures(images: Sequence[np.ndarray] | np.ndarray, base: Base) -> PictureSource:
    rule, pictures = base.preparation.rule, [as_picture(image, channels=1) for image in images]

    def read(rows: Sequence[int]) -> np.ndarray:
        chosen = (pictures[row] for row in rows)
        return np.stack([p if p.shape[:2] == rule.shape else rule.apply_to_array(p) for p in chosen])

    return PictureSource([_hash(picture) for picture in pictures], read, base.preparation)


def _of_arrays(x: np.ndarray) -> PictureSource:
    check_finite(x, "picture")
    return PictureSource([_hash(sample) for sample in x], lambda rows: x[list(rows)], AsGiven())


def _hash(array: np.ndarray) -> str:
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()
