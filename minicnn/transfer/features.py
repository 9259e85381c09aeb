"""Features of pictures: the frozen part of a model, run once for each batch of pictures and kept on disk.

The key of a batch is a hash of all that decides its features: the layers and their connections, every weight, whether
BatchNormalization is frozen, how pixels are prepared, the pictures' own bytes, and how kernels compute.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.models.graph import Slot
from minicnn.preparation import Preparation
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.weights.fetch import cache_folder

VERSION = 1
BATCH = 32

Progress = Callable[[str, int, int], None]


@dataclass
class CacheUse:
    """How many batches of features were found and how many were computed."""

    found: int = 0
    computed: int = 0


def features_by_batch(
    model: Any,
    images: np.ndarray,
    hashes: Sequence[str],
    preparation: Preparation,
    *,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> tuple[list[np.ndarray], CacheUse]:
    """
    The outputs of a frozen model for pictures, from the cache where it has them.

    Parameters
    ----------
    model : Model
        One input (N,H,W,3), one or several outputs.
    images : uint8 (N,H,W,3)
    hashes : sequence of str
        SHA-256 of each picture's file.
    preparation : Preparation
        From pixels to what the model takes.

    Returns
    -------
    (features, use)
        One array a model output, rows as in `images`; and what the cache did.
    """
    use = CacheUse()
    batches: list[list[np.ndarray]] = []
    identity = model_hash(model) if cache is not None else ""
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        keys = [_key(identity, str(preparation), hashes[part], output) for output in range(len(model.outputs))]
        arrays = _kept(cache, keys)
        if arrays:
            use.found += 1
        else:
            arrays = _computed(model, preparation(images[part]))
            use.computed += 1
            if cache is not None:
                for key, array in zip(keys, arrays):
                    cache.put(key, array)
        batches.append(arrays)
        if progress is not None:
            progress("features", min(start + BATCH, len(images)), len(images))
    if cache is not None:
        cache.trim()
    return [np.concatenate(arrays) for arrays in zip(*batches)], use


def _kept(cache: FeatureCache | None, keys: list[str]) -> list[np.ndarray]:
    """The arrays of all keys, or none of them."""
    arrays = [] if cache is None else [cache.get(key) for key in keys]
    found = [array for array in arrays if array is not None]
    return found if len(found) == len(keys) else []


def _computed(model: Any, x: np.ndarray) -> list[np.ndarray]:
    """The outputs of one batch."""
    result = model.predict(x, batch_size=BATCH)
    return result if isinstance(result, list) else [result]


def default_cache() -> FeatureCache:
    """The feature cache in the user's cache folder."""
    return FeatureCache(cache_folder() / "features")


def model_hash(model: Any) -> str:
    """
    SHA-256 of a model's layers, connections and weights, whatever its layers are called.

    Layers are told by the order in which they run: automatic names differ from one process to the next.
    """
    program = model.program
    storage = {} if model.dense_storage == "float32" else {"dense storage": model.dense_storage}
    layers = list({id(call.layer): call.layer for call in program.calls}.values())
    number = {id(layer): position for position, layer in enumerate(layers)}
    described = {
        "inputs": [[tensor.shape, tensor.dtype.str] for tensor in model.inputs],
        "layers": [[type(layer).__qualname__, getattr(layer, "function", None), _options(layer)] for layer in layers],
        "calls": [[number[id(c.layer)], c.arguments, c.outputs, c.training] for c in program.calls],
        "outputs": program.outputs,
        **storage,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, default=_plain).encode())
    for layer in layers:
        for parameter in layer.weights:
            array = np.ascontiguousarray(parameter.numpy())
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.data)
    return digest.hexdigest()


def _options(layer: Any) -> dict[str, Any]:
    """A layer's config without its name."""
    return {key: value for key, value in layer.get_config().items() if key != "name"}


def _plain(value: Any) -> Any:
    """What JSON does not know, in full: two values that differ never look alike."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return {"dtype": array.dtype.str, "shape": array.shape, "bytes": array.tobytes().hex()}
    if isinstance(value, Slot):
        return {"slot": value.index}
    return {"unknown": uuid.uuid4().hex}  # found by nobody


def _key(identity: str, preparation: str, hashes: Sequence[str], output: int) -> str:
    """The key of one output of one batch."""
    from minicnn.kernels import autotune_wanted, numba_wanted

    parts = [f"minicnn features {VERSION}", identity, preparation, f"numba {numba_wanted()}", f"output {output}"]
    parts += ["autotune"] if autotune_wanted() else []
    return hashlib.sha256("\n".join([*parts, *hashes]).encode()).hexdigest()
