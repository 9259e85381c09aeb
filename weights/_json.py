"""JSON from a file that may be hostile: size, count, depth, duplicate keys and endless numbers are checked."""

import json
import math
from collections import Counter

from minicnn.errors import FileFormatError

MAX_BYTES = 16 << 20  # the config of ResNet152 has 0.3 MiB
MAX_VALUES = 500_000  # a value takes up to 200 bytes of memory; the config of NASNetLarge has 64,000
MAX_DEPTH = 200  # a model nested in a model adds about 6


def parse_config(text: str | bytes, name: str) -> dict:
    """The JSON object in `text`, a config or metadata; `name` says in messages where it was found.

    Raises
    ------
    FileFormatError
        It is not JSON, not an object, too large, too deep, has too many values, a key twice or a number that is not
        finite.
    """
    if len(text) > MAX_BYTES:
        raise FileFormatError(f"{name} has {len(text) >> 20} MiB, more than {MAX_BYTES >> 20}: it is no model config")
    if _most_values(text) > MAX_VALUES:
        raise FileFormatError(f"{name} has more than {MAX_VALUES:,} values: it is no model config")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)
    except (RecursionError, MemoryError):
        raise FileFormatError(f"{name} is nested too deeply or too large: it is no model config") from None
    except ValueError as error:
        raise FileFormatError(f"{name} is not valid JSON ({error}): the file is damaged, get it again") from None
    if not isinstance(value, dict):
        raise FileFormatError(f"{name} holds a JSON {type(value).__name__}, expected an object")
    _check_depth(value, name)
    return value


def _most_values(text: str | bytes) -> int:
    """As many values as the text may have at the most: one after each of these marks, which texts in it have too."""
    if isinstance(text, str):
        return text.count("[") + text.count("{") + text.count(",")
    return text.count(b"[") + text.count(b"{") + text.count(b",")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r} appears twice")
    return result


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} is not finite")
    return value


def _check_depth(value: object, name: str) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise FileFormatError(f"{name} is nested more than {MAX_DEPTH} deep: it is no model config")
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
