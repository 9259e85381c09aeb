"""Features of pictures: the frozen part of a model, run once for each picture and kept on disk.

The key of a picture is a hash of all that decides its features: the layers and their connections, every weight, whether
BatchNormalization is frozen, how pixels are prepared, the picture's own bytes, and how kernels compute.
"""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.arguments import one_of
from minicnn.errors import ArgumentError, DataError
from minicnn.models import features as fitting
from minicnn.models.feature_file import FeatureFile, FeatureRows, features_folder
from minicnn.models.identity import kernels_text, program_hash
from minicnn.models.memory import available_memory
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.freeze import leaf_layers
from minicnn.transfer.kept_features import BATCH, KeptFeatures

VERSION = 3
LOOKED_AT = 8  # pictures of those that were found, by which the rest is believed
STORAGES = {"float32": 1e-4, "float16": 2e-3}  # and how far, in relative L2, features may lie from those computed anew

Progress = Callable[[str, int, int], None]


@dataclass
class CacheUse:
    """
    Of how many pictures features were found and of how many computed, and what storing them changed.

    Attributes
    ----------
    storage : str
    max_error, relative_error : float
        The largest |stored - computed| of all features, and ‖stored - computed‖ / ‖computed‖.
    """

    found: int = 0
    computed: int = 0
    storage: str = "float32"
    max_error: float = 0.0
    relative_error: float = 0.0

    def and_then(self, other: "CacheUse") -> "CacheUse":
        """Of both, one after the other; of errors the larger ones."""
        return CacheUse(
            self.found + other.found,
            self.computed + other.computed,
            self.storage,
            max(self.max_error, other.max_error),
            max(self.relative_error, other.relative_error),
        )

    def __str__(self) -> str:
        said = f"{self.found:,} from the cache, {self.computed:,} computed"
        if self.storage == "float32":
            return said
        return (
            f"{said}; stored in {self.storage}, off by {self.max_error:.2g} at most, {self.relative_error:.1e} relative"
        )


def check_frozen(model: Any) -> None:
    """Raise ArgumentError where a layer acts otherwise in training: what is kept would not be what is trained on."""
    for layer in leaf_layers(model):
        if layer.trainable and not layer.deterministic:
            raise ArgumentError(
                f"features of model {model.name} cannot be kept: layer {layer.name} ({type(layer).__name__}) acts "
                "otherwise while it is trained; freeze(model) first, or do without the cache"
            )


def features_by_batch(
    model: Any,
    images: Any,
    hashes: Sequence[str],
    preparation: Any,
    cache: FeatureCache | None = None,
    storage: str = "float32",
    progress: Progress | None = None,
) -> tuple[list[np.ndarray], CacheUse]:
    """
    The outputs of a model, as it predicts, for pictures, from the cache where it has them.

    They lie in memory, or where that has no room in a file that is mapped into it.  Pictures that the cache has
    are not computed, but for a few that are compared; where a file is wrong, a warning says so, and it is done without.

    Parameters
    ----------
    model : Model
        One input (N,H,W,3), one or several outputs.
    images : uint8 (N,H,W,3)
    hashes : sequence of str
        SHA-256 of each picture's file.
    preparation : Preparation
        From pixels to what the model takes.
    storage : str
        "float32", or "float16" in half the room: the result says how far that is off.

    Returns
    -------
    (features, use)
        One array a model output, rows as in `images`; and what the cache did.

    Raises
    ------
    DataError
        A feature is too large for float16.
    """
    one_of("features", "storage", storage, STORAGES)
    return _Extraction(model, images, hashes, preparation, cache, storage).run(progress)


class _Extraction:
    """Features of pictures: those that were kept, and the rest, batch by batch."""

    def __init__(
        self, model: Any, images: Any, hashes: Sequence[str], preparation: Any, cache: FeatureCache | None, storage: str
    ):
        self.model, self.images, self.preparation = model, images, preparation
        self.use = CacheUse(storage=storage)
        parts = [f"minicnn features {VERSION} {storage}", "" if cache is None else model_hash(model)]
        identity = "\n".join([*parts, str(preparation), kernels_text(model.device, model.precision)])
        self.kept = KeptFeatures(cache, hashlib.sha256(identity.encode()).hexdigest(), hashes)
        self.store: FeatureRows | FeatureFile | None = None
        self.looked = 0

    def run(self, progress: Progress | None) -> tuple[list[np.ndarray], CacheUse]:
        """All features, and how they came about."""
        self._take_kept()
        missing = self._missing()
        new = missing[self.kept.first[missing] == missing]  # without copies
        done = self.use.found = len(self.images) - len(missing)
        self.use.computed, total = len(missing), done + len(new)
        if progress is not None and done:
            progress("features", done, total)
        for start in range(0, len(new), BATCH):
            part = new[start : start + BATCH]
            self._keep(part, self._computed(part), new)
            if progress is not None:
                progress("features", done + start + len(part), total)
        for row in self._missing():
            assert self.store is not None
            self._write(np.array([row]), self.store.read(self.kept.first[[row]]))
        arrays = [] if self.store is None else list(self.store.arrays)
        if self.use.storage != "float32" and arrays:
            largest, squared, of = arrays.pop().T
            self.use.max_error = float(largest.max())
            self.use.relative_error = float(np.sqrt(squared.sum() / max(of.sum(), 1e-300)))
        return arrays, self.use

    def _missing(self) -> np.ndarray:
        """The rows that are not there yet."""
        rows = np.arange(len(self.images))
        return rows if self.store is None else rows[self.store.missing(rows)]

    def _take_kept(self) -> None:
        """Put what was kept where all are."""
        for rows, arrays in self.kept.read(self._right):
            if self.store is None:
                self.store = self._begin(arrays)
            new = self.store.missing(rows)
            self._write(rows[new], [array[new] for array in arrays])

    def _right(self, rows: np.ndarray, arrays: list[np.ndarray]) -> bool:
        """Whether the network gives what a file has; looked at for some pictures of the first file, one of others."""
        some = rows[: max(1, LOOKED_AT - self.looked)]
        self.looked += len(some)
        outputs = len(self.model.outputs)  # the errors of storing are not compared
        computed, kept = self._computed(some)[:outputs], [array[: len(some)] for array in arrays[:outputs]]
        if not fitting.differ(computed, kept, STORAGES[self.use.storage]):
            return True
        assert self.kept.cache is not None
        warnings.warn(
            f"features kept in {self.kept.cache.folder} are not those of the network: they are computed anew",
            stacklevel=9,
        )
        return False

    def _keep(self, rows: np.ndarray, arrays: list[np.ndarray], missing: np.ndarray) -> None:
        """Put what was computed where all are, and, when that is memory, into the cache."""
        if self.store is None:
            self.store = self._begin(arrays)
        self._write(rows, arrays)
        if isinstance(self.store, FeatureRows):
            self.kept.keep(rows, arrays, missing)

    def _computed(self, rows: np.ndarray) -> list[np.ndarray]:
        """The features of some pictures as they are stored, and how far that is from what they are."""
        result = self.model.predict(self.preparation(self.images[rows]), batch_size=BATCH)
        arrays = result if isinstance(result, list) else [result]
        return arrays if self.use.storage == "float32" else _halved(arrays)

    def _begin(self, arrays: list[np.ndarray]) -> FeatureRows | FeatureFile:
        """Room for the features of all pictures: in memory, else in a file."""
        total, cache = len(self.images), self.kept.cache
        if total * sum(array[:1].nbytes for array in arrays) <= fitting.SHARE * available_memory():
            return FeatureRows(arrays, total)
        try:
            if cache is None:
                return FeatureFile.make(arrays, self.kept.names)
            return self.kept.whole or FeatureFile.make(
                arrays, self.kept.names, self.kept.key, cache.folder, cache.limit
            )
        except OSError as error:
            return self._in_memory(error, arrays)

    def _write(self, rows: np.ndarray, arrays: list[np.ndarray]) -> None:
        assert self.store is not None
        try:
            self.store.write(rows, arrays)
        except OSError as error:
            there = self._in_memory(error, arrays)
            before = np.setdiff1d(np.arange(len(self.images)), self._missing())
            for start in range(0, len(before), BATCH):
                part = before[start : start + BATCH]
                there.write(part, self.store.read(part))
            there.write(rows, arrays)
            self.store = there

    def _in_memory(self, error: OSError, arrays: list[np.ndarray]) -> FeatureRows:
        """Room in memory after all, since there is no file."""
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        warnings.warn(
            f"features lie in memory, of which they take much: there is no file for them: {cause.strerror or cause}",
            stacklevel=8,
        )
        if self.kept.cache is not None:
            self.kept.cache.writable = False
        return FeatureRows(arrays, len(self.images))


def all_finite(features: np.ndarray) -> bool:
    """Whether no feature is NaN or infinite, looked at batch by batch: they may lie in a file."""
    return all(np.isfinite(features[start : start + BATCH]).all() for start in range(0, len(features), BATCH))


def halves(features: np.ndarray) -> np.ndarray:
    """Features in float16.

    Raises
    ------
    DataError
        One is too large for it.
    """
    with np.errstate(over="ignore"):
        found = features.astype(np.float16)
    if np.isinf(found).any() and np.isfinite(features).all():
        raise DataError(f"features of up to {np.abs(features).max():.3g} do not fit in float16: store them in float32")
    return found


def _halved(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Arrays (B,...) in float16, and (B,3): the largest |error| of each sample, the sums of error² and of value²."""
    halved = [halves(array) for array in arrays]
    errors = np.zeros((len(arrays[0]), 3))
    for array, half in zip(arrays, halved):
        values = array.reshape(len(array), -1).astype(np.float64)
        gaps = values - half.reshape(len(half), -1)
        errors[:, 0] = np.maximum(errors[:, 0], np.abs(gaps).max(axis=1, initial=0))
        errors[:, 1:] += np.stack([(gaps**2).sum(axis=1), (values**2).sum(axis=1)], axis=1)
    return [*halved, errors]


def default_cache() -> FeatureCache:
    """The feature cache in the user's cache folder."""
    return FeatureCache(features_folder())


def model_hash(model: Any) -> str:
    """SHA-256 of a model's layers, connections and weights, whatever its layers are called."""
    storage = {} if model.dense_storage == "float32" else {"dense storage": model.dense_storage}
    return program_hash(model.program, [(tensor.shape, tensor.dtype) for tensor in model.inputs], **storage)
