"""Plain data, nested: None, truth values, numbers, texts, lists, tuples, dicts by text, arrays and random generators.

It becomes JSON text and a list of arrays, from which nothing but the same plain data can be made: reading runs no code.
"""

import json
import math
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, FileFormatError

KIND = "$"  # marks an object that stands for something that JSON does not have
KINDS = "fiub"  # of arrays: floats, whole numbers, truth values
LONG = 64  # floats in a list that are kept as an array


def pack(value: Any, name: str = "state") -> tuple[str, list[np.ndarray]]:
    """(JSON text, arrays) of plain data; `name` is what refusals call it.

    Raises
    ------
    ArgumentError
        Something in it is not plain; the message says where.

    Examples
    --------
    >>> text, arrays = pack({"step": 3, "best": float("inf"), "weights": [np.ones(2)]})
    >>> unpack(text, arrays)
    {'step': 3, 'best': inf, 'weights': [array([1., 1.])]}
    """
    arrays: list[np.ndarray] = []
    return json.dumps(_packed(value, arrays, name), allow_nan=False, separators=(",", ":")), arrays


def unpack(text: str, arrays: list[np.ndarray]) -> Any:
    """The data that `pack` was given.

    Raises
    ------
    FileFormatError
        The text is not what `pack` writes.
    """
    try:
        return _unpacked(json.loads(text), arrays)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise FileFormatError(f"it holds no plain data ({error})") from None


def _packed(value: Any, arrays: list[np.ndarray], name: str) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _packed_array(value, arrays, name)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {KIND: "float", "value": str(value)}
    if isinstance(value, list) and len(value) >= LONG and all(type(item) is float for item in value):
        arrays.append(np.array(value))
        return {KIND: "floats", "at": len(arrays) - 1}
    if isinstance(value, list | tuple):
        items = [_packed(item, arrays, f"{name}[{i}]") for i, item in enumerate(value)]
        return items if isinstance(value, list) else {KIND: "tuple", "items": items}
    if isinstance(value, dict) and all(isinstance(key, str) and key != KIND for key in value):
        return {key: _packed(item, arrays, f"{name}.{key}") for key, item in value.items()}
    raise ArgumentError(
        f"{name} is {type(value).__name__}, which cannot be kept in a file: give the object that has it the methods "
        "state() and load_state(state), with numbers, texts, lists, dicts by text and arrays"
    )


def _packed_array(value: Any, arrays: list[np.ndarray], name: str) -> dict[str, Any]:
    if value.dtype.kind not in KINDS or value.dtype.itemsize > 8:
        raise ArgumentError(f"{name} is an array of {value.dtype}, which cannot be kept in a file")
    arrays.append(np.asarray(value))
    return {KIND: "array" if isinstance(value, np.ndarray) else "scalar", "at": len(arrays) - 1}


def _unpacked(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(KIND)
    if kind is None:
        return {key: _unpacked(item, arrays) for key, item in value.items()}
    if kind == "float":
        return float(value["value"])
    if kind == "tuple":
        return tuple(_unpacked(item, arrays) for item in value["items"])
    array = arrays[value["at"]]
    return {"array": lambda: array, "scalar": lambda: array[()], "floats": lambda: array.tolist()}[kind]()
