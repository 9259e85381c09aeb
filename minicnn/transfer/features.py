"""Features of pictures: the frozen part of a model, run once for each batch of pictures and kept on disk.

The key of a batch is a hash of all that decides its features: the layers and their connections, every weight, whether
BatchNormalization is frozen, how pixels are prepared, the pictures' own bytes, and how kernels compute.
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

VERSION = 2
BATCH = 32
LOOKED_AT = 8  # pictures of the first batch that was found, by which the rest is believed
STORAGES = {"float32": 1e-4, "float16": 2e-3}  # and how far, in relative L2, features may lie from those computed anew

Progress = Callable[[str, int, int], None]


@dataclass
class CacheUse:
    """
    How many batches of features were found and how many were computed, and what storing them changed.

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
        total = self.found + self.computed
        said = f"{total:,} batch{'' if total == 1 else 'es'}: {self.found:,} from the cache, {self.computed:,} computed"
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

    They lie in memory, or where that has no room in a file that is mapped into it.  The first pictures that the cache
    has are computed all the same; where it is wrong, a warning says so and all are computed.

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
    """Features of pictures, batch by batch."""

    def __init__(
        self, model: Any, images: Any, hashes: Sequence[str], preparation: Any, cache: FeatureCache | None, storage: str
    ):
        self.model, self.images, self.hashes, self.preparation = model, images, hashes, preparation
        self.cache, self.trusted, self.looked = cache, cache is not None, False
        self.use = CacheUse(storage=storage)
        parts = [f"minicnn features {VERSION} {storage}", "" if cache is None else model_hash(model)]
        self.identity = "\n".join([*parts, str(preparation), kernels_text()])
        self.outputs = len(model.outputs) + (storage != "float32")  # with the errors of storing
        self.store: FeatureRows | FeatureFile | None = None

    def run(self, progress: Progress | None) -> tuple[list[np.ndarray], CacheUse]:
        """All features, and how they came about."""
        total = len(self.images)
        for start in range(0, total, BATCH):
            self._batch(np.arange(start, min(start + BATCH, total)))
            if progress is not None:
                progress("features", min(start + BATCH, total), total)
        if self.cache is not None:
            self.cache.trim()
        arrays = [] if self.store is None else list(self.store.arrays)
        if self.use.storage != "float32" and arrays:
            largest, squared, of = arrays.pop().T
            self.use.max_error = float(largest.max())
            self.use.relative_error = float(np.sqrt(squared.sum() / max(of.sum(), 1e-300)))
        return arrays, self.use

    def _batch(self, rows: np.ndarray) -> None:
        if self.store is not None and not self.store.missing(rows).any():
            self.use.found += 1
            return
        found = self._found(rows)
        arrays = self._computed(rows) if found is None else found
        if self.store is None:
            self.store = self._begin(rows, arrays)
        self._write(rows, arrays)
        if found is not None:
            self.use.found += 1
            return
        self.use.computed += 1
        if self.cache is not None and isinstance(self.store, FeatureRows):
            for key, array in zip(self._keys(rows), arrays):
                self.cache.put(key, array)

    def _found(self, rows: np.ndarray) -> list[np.ndarray] | None:
        """The features of a batch that the cache has, where it has them all and is right."""
        if self.cache is None or not self.trusted:
            return None
        arrays = [self.cache.get(key) for key in self._keys(rows)]
        found = [array for array in arrays if array is not None and len(array) == len(rows)]
        if len(found) < len(arrays):
            return None
        if not self.looked:
            self.looked = True
            self.trusted = not self._differ(self._computed(rows[:LOOKED_AT]), [a[:LOOKED_AT] for a in found])
        return found if self.trusted else None

    def _computed(self, rows: np.ndarray) -> list[np.ndarray]:
        """The features of some pictures as they are stored, and how far that is from what they are."""
        result = self.model.predict(self.preparation(self.images[rows]), batch_size=BATCH)
        arrays = result if isinstance(result, list) else [result]
        return arrays if self.use.storage == "float32" else _halved(arrays)

    def _differ(self, computed: list[np.ndarray], kept: list[np.ndarray]) -> bool:
        count = len(self.model.outputs)  # the errors of storing are not compared
        if not fitting.differ(computed[:count], kept[:count], STORAGES[self.use.storage]):
            return False
        assert self.cache is not None
        warnings.warn(
            f"the features kept in {self.cache.folder} are not those of the network: all are computed anew",
            stacklevel=7,
        )
        return True

    def _begin(self, rows: np.ndarray, arrays: list[np.ndarray]) -> FeatureRows | FeatureFile:
        """Room for the features of all pictures: in memory, else in a file."""
        total = len(self.images)
        size = total * sum(array[:1].nbytes for array in arrays)
        if size <= fitting.SHARE * available_memory():
            return FeatureRows(arrays, total)
        try:
            file = self._file(arrays)
            there = np.flatnonzero(~file.missing(rows))
            if len(there) and self._differ([a[there] for a in arrays], file.read(rows[there])):
                file.discard()
                file = self._file(arrays)
            return file
        except OSError as error:
            warnings.warn(
                f"features lie in memory, though they take much of it: no file for them: {error}", stacklevel=6
            )
            return FeatureRows(arrays, total)

    def _file(self, arrays: list[np.ndarray]) -> FeatureFile:
        if self.cache is None:
            return FeatureFile(arrays, len(self.images), None)
        key = self._keys(np.arange(len(self.images)))[0]
        return FeatureFile(arrays, len(self.images), key, self.cache.folder, self.cache.limit)

    def _write(self, rows: np.ndarray, arrays: list[np.ndarray]) -> None:
        assert self.store is not None
        try:
            self.store.write(rows, arrays)
        except OSError as error:
            _warn_of_memory(error)
            there = FeatureRows(arrays, len(self.images))
            before = np.arange(rows[0])
            there.write(before, self.store.read(before))
            there.write(rows, arrays)
            self.store = there

    def _keys(self, rows: np.ndarray) -> list[str]:
        """The keys of the outputs of a batch."""
        pictures = "\n".join(str(self.hashes[int(row)]) for row in rows)
        texts = [f"{self.identity}\noutput {number}\n{pictures}" for number in range(self.outputs)]
        return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def all_finite(features: np.ndarray) -> bool:
    """Whether no feature is NaN or infinite, looked at batch by batch: they may lie in a file."""
    return all(np.isfinite(features[start : start + BATCH]).all() for start in range(0, len(features), BATCH))


def _warn_of_memory(error: OSError) -> None:
    warnings.warn(f"features lie in memory, of which they take much: there is no file for them: {error}", stacklevel=7)


def _halved(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Arrays (B,...) in float16, and (B,3): the largest |error| of each sample, the sums of error² and of value²."""
    with np.errstate(over="ignore"):
        halves = [array.astype(np.float16) for array in arrays]
    errors = np.zeros((len(arrays[0]), 3))
    for array, half in zip(arrays, halves):
        if np.isinf(half).any() and np.isfinite(array).all():
            raise DataError(f"features of up to {np.abs(array).max():.3g} do not fit in float16: store them in float32")
        values = array.reshape(len(array), -1).astype(np.float64)
        gaps = values - half.reshape(len(half), -1)
        errors[:, 0] = np.maximum(errors[:, 0], np.abs(gaps).max(axis=1, initial=0))
        errors[:, 1:] += np.stack([(gaps**2).sum(axis=1), (values**2).sum(axis=1)], axis=1)
    return [*halves, errors]


def default_cache() -> FeatureCache:
    """The feature cache in the user's cache folder."""
    return FeatureCache(features_folder())


def model_hash(model: Any) -> str:
    """SHA-256 of a model's layers, connections and weights, whatever its layers are called."""
    storage = {} if model.dense_storage == "float32" else {"dense storage": model.dense_storage}
    return program_hash(model.program, [(tensor.shape, tensor.dtype) for tensor in model.inputs], **storage)
