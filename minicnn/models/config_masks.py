"""Masks in configs: Keras 3 writes how masks are made, as operations beside the layers, and where they are used.

Here masks travel with the tensors, so that these operations are left out.  They are those that follow from the layers;
a mask that somebody made otherwise, and gave to a layer, would be lost, and is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from minicnn.errors import UnsupportedError

MASK, TENSOR = "mask", "__keras_tensor__"
MAKERS = ("Masking", "Embedding")


def mask_operations(config: dict[str, Any]) -> Collection[str]:
    """The names of the operations of a functional model that make masks and nothing else.

    Raises
    ------
    UnsupportedError
        A call was given a mask that does not follow from the layers before it.
    """
    entries = {str(entry.get("name") or entry["config"]["name"]): entry for entry in config["layers"]}
    reached = _reached(entries, {name for name, *_ in _tensors(config["output_layers"])})
    unused = {key: entry for key, entry in entries.items() if key not in reached and _is_operation(entry)}
    masked = {tensor for entry in entries.values() if entry.get("class_name") in MAKERS for tensor in _inputs(entry)}
    for name in reached & entries.keys():
        for mask in _given_masks(entries[name].get("inbound_nodes")):
            sources = {source for source, *_ in _tensors(mask)}
            makers = _reached(unused, sources) & unused.keys()
            compared = [tensor for key in makers if entries[key]["class_name"] == "NotEqual"
                        for tensor in _inputs(entries[key])]  # fmt: skip
            if not compared or not masked.issuperset(compared):
                raise UnsupportedError(
                    f"layer {name!r}: a mask of its own is given to it, which minicnn does not support; it knows those "
                    f"that {' and '.join(MAKERS)} layers make"
                )
    return unused


def _is_operation(entry: dict[str, Any]) -> bool:
    """Whether an entry that no output needs is an operation; the .h5 files of Keras 3 have no module that says so."""
    if entry.get("module"):
        return str(entry["module"]).startswith("keras.src.ops")
    return entry.get("class_name") != "InputLayer"


def _reached(entries: dict[str, dict[str, Any]], names: set[str]) -> set[str]:
    """The names, and those of all layers that lead to them, masks left out."""
    found, waiting = set(names), list(names)
    while waiting:
        new = {name for name, *_ in _inputs(entries.get(waiting.pop(), {}))} - found
        found |= new
        waiting += new
    return found


def _inputs(entry: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The tensors that the calls of a layer take."""
    return list(_tensors(entry.get("inbound_nodes")))


def _tensors(value: Any) -> Iterator[tuple[Any, ...]]:
    """The references (layer, call, output) in a value, masks left out."""
    if isinstance(value, dict) and value.get("class_name") == TENSOR:
        yield tuple(value["config"]["keras_history"])
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != MASK:
                yield from _tensors(item)
    elif isinstance(value, list) and len(value) > 2 and isinstance(value[0], str) and isinstance(value[1], int):
        yield tuple(value[:3])
        yield from _tensors(value[3:])
    elif isinstance(value, list):
        for item in value:
            yield from _tensors(item)


def _given_masks(value: Any) -> Iterator[Any]:
    """The masks among the arguments of calls."""
    if isinstance(value, dict):
        if _is_given(value.get(MASK)):
            yield value[MASK]
        for key, item in value.items():
            if key != MASK:
                yield from _given_masks(item)
    elif isinstance(value, list):
        for item in value:
            yield from _given_masks(item)


def _is_given(mask: Any) -> bool:
    """Whether there is a mask, for one at least of several inputs."""
    if isinstance(mask, (list, dict)):
        return any(map(_is_given, mask.values() if isinstance(mask, dict) else mask))
    return mask is not None
