"""What makes two trainings the same: a fingerprint in each checkpoint, and that of who goes on from it."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minicnn.errors import MinicnnError, WeightsMismatchError

WHOLE = 64 << 20  # bytes of an array up to which all of it is read; of a larger one, evenly spaced samples
UNTOLD = ("name", "trainable")  # of a layer's config: counted by process; part of the state
MISSING = object()


def model_text(model: Any) -> str:
    """A model's structure in words: its layers as they are connected, with their options, by a short digest."""
    parts: list[Any] = [[list(tensor.shape) for tensor in model.inputs], list(model.program.outputs)]
    for call in model.program.calls:
        shapes = [(list(weight.shape), str(weight.dtype)) for weight in call.layer.weights]
        parts.append([type(call.layer).__name__, _config(call.layer), shapes, call.sources(), list(call.outputs)])
    text = json.dumps(parts, default=_told, sort_keys=True)
    return f"{len(model.program.calls)} layers with {model.count_params():,} weights {_short(text.encode())}"


def flags_text(model: Any) -> str:
    """Which weights are trained, in words."""
    flags = bytes(weight.trainable for weight in model.weights)
    return f"{sum(flags)} of {len(flags)} arrays {_short(flags)}"


def arrays_text(groups: Iterable[Sequence[np.ndarray]]) -> str:
    """Arrays with samples along the first axis in words: how many, of which shapes, a digest of the numbers."""
    found, words, count = hashlib.blake2b(digest_size=4), [], 0
    for arrays in groups:
        for array in arrays:
            count = len(array)
            words.append(f"{tuple(array.shape[1:])} {array.dtype}")
            for part in _read(array):
                found.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
    return f"{count} samples of {', '.join(words)} {found.hexdigest()}"


def _read(array: np.ndarray) -> Iterable[np.ndarray]:
    """The samples of an array that are looked at, some at a time."""
    every = max(1, -(-array.nbytes // WHOLE))
    for start in range(0, len(array), 256 * every):
        yield array[start : start + 256 * every : every]


def compare(place: Any, stored: dict[str, Any], now: dict[str, Any], changed: dict[str, Any]) -> None:
    """Refuse to go on with another training.

    Parameters
    ----------
    place : where the state was found, for the message
    stored, now : fingerprints: what was so when the stored training began, and what is so now
    changed : what training itself has changed of the stored one

    Raises
    ------
    WeightsMismatchError
        The message names the first difference.
    """
    for name in [*stored, *(name for name in now if name not in stored)]:
        before, after = stored.get(name, MISSING), now.get(name, MISSING)
        if before == after or after == changed.get(name, before):
            continue
        path, old, new = _difference(name, before, after)
        raise WeightsMismatchError(
            f"{place} holds a training with {path} {old}, now {'there is none' if new is MISSING else f'it is {new}'}: "
            "go on with what it began with, or take another folder"
        )


def as_json(value: Any) -> Any:
    """As JSON gives it back: tuples and arrays as lists, keys and paths as texts, other objects as names of classes."""
    return json.loads(json.dumps(value, default=_told))


def _told(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return os.fspath(value) if isinstance(value, os.PathLike) else type(value).__name__


def _difference(name: str, before: Any, after: Any) -> tuple[str, Any, Any]:
    """(where, what was there, what is there): inside of dicts, the first key that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        key = next(key for key in [*before, *after] if before.get(key, MISSING) != after.get(key, MISSING))
        return _difference(f"{name} {key}", before.get(key, MISSING), after.get(key, MISSING))
    return (name, "none" if before is MISSING else before, after)


def _config(layer: Any) -> Any:
    try:
        return _without_names(layer.get_config())
    except (AttributeError, MinicnnError):  # a class of the user's that does not keep its arguments
        return None


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_names(item) for key, item in value.items() if key not in UNTOLD}
    return [_without_names(item) for item in value] if isinstance(value, list | tuple) else value


def _short(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=4).hexdigest()
