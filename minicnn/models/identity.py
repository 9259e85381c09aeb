"""What features are computed from, as a text: layers, connections, weights, samples, kernels: the key to keep them."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .graph import Program, Slot

OF_THE_FILE = ("in_inference", "masks_with_states")  # of layers: what no config says
CHUNK = 1 << 24  # bytes that are hashed at a time, where an array has to be copied for it


def program_hash(program: Program, inputs: Sequence[tuple[Any, np.dtype]], **options: Any) -> str:
    """
    SHA-256 of a program's layers, connections and weights, whatever its layers are called.

    Layers are told by the order in which they run: automatic names differ from one process to the next.

    Parameters
    ----------
    inputs : sequence of (shape, dtype)
    options
        What else decides the outputs.
    """
    layers = list({id(call.layer): call.layer for call in program.calls}.values())
    number = {id(layer): position for position, layer in enumerate(layers)}
    described = {
        "inputs": [[shape, dtype.str] for shape, dtype in inputs],
        "layers": [[type(layer).__qualname__, getattr(layer, "function", None), _options(layer)] for layer in layers],
        "calls": [[number[id(c.layer)], c.arguments, c.outputs, c.training] for c in program.calls],
        "outputs": program.outputs,
        **options,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, default=_plain).encode())
    _add(digest, (parameter.numpy() for layer in layers for parameter in layer.weights))
    return digest.hexdigest()


def arrays_hash(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of arrays: their types, shapes and every number."""
    digest = hashlib.sha256()
    _add(digest, arrays)
    return digest.hexdigest()


def kernels_text(device: str, precision: str = "float32") -> str:
    """How kernels compute: another way, device, or precision of products may change the last bits, or more."""
    from minicnn.kernels import autotune_wanted, numba_wanted

    if device != "cpu":
        return device if precision == "float32" else f"{device} {precision}"
    return f"numba {numba_wanted()}" + (" autotune" if autotune_wanted() else "")


def _add(digest: Any, arrays: Iterable[np.ndarray]) -> None:
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        rows = max(1, CHUNK // max(1, array[:1].nbytes)) if array.ndim else 1
        for start in range(0, len(array) if array.ndim else 1, rows):
            part = np.ascontiguousarray(array[start : start + rows] if array.ndim else array)
            digest.update(part.reshape(-1).view(np.uint8).data)


def _options(layer: Any) -> dict[str, Any]:
    """A layer's config without its name, and what it does as the Keras of its file did."""
    config = {key: value for key, value in layer.get_config().items() if key != "name"}
    return config | {name: getattr(layer, name) for name in OF_THE_FILE if hasattr(layer, name)}


def _plain(value: Any) -> Any:
    """What JSON does not know, in full: two values that differ never look alike."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return {"dtype": array.dtype.str, "shape": array.shape, "bytes": array.tobytes().hex()}
    if isinstance(value, Slot):
        return {"slot": value.index}
    return {"unknown": uuid.uuid4().hex}  # found by nobody
