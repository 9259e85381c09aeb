"""safetensors: names, shapes and number types as JSON, then the numbers themselves.

    8 bytes    length of the header, little-endian
    header     {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ..., "__metadata__": {...}}
    numbers    little-endian, row-major; offsets count from here, without gaps and without overlap

Source: huggingface/safetensors, README, "Format".
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike

from minicnn.errors import ArgumentError, FileFormatError

from ._json import parse_config
from .atomic import replacing
from .hdf5.source import Source

TYPES = {  # in the order in which the official writer sorts them; BF16, which NumPy lacks, as pairs of bytes
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "I16": np.dtype("<i2"),
    "U16": np.dtype("<u2"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "I32": np.dtype("<i4"),
    "U32": np.dtype("<u4"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "U64": np.dtype("<u8"),
}
NAMES = {"BOOL": "bool", "BF16": "bfloat16"} | {key: str(t) for key, t in TYPES.items() if key not in ("BOOL", "BF16")}
WRITTEN = {name: key for key, name in NAMES.items()}
METADATA = "__metadata__"
FIELDS = ("dtype", "shape", "data_offsets")
MAX_HEADER = 8 << 20  # a header takes about 100 bytes a tensor
MAX_TENSORS = 20_000
MAX_AXES = 32  # of a NumPy array
PIECE = 1 << 18  # numbers converted in one go


@dataclass(frozen=True)
class Tensor:
    """A stored array: `address` is where its numbers begin in the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    address: int


def is_safetensors(head: bytes) -> bool:
    """Whether the first bytes of a file are a length and the brace that opens a header."""
    return head[8:9] == b"{" and b"\0" in head[:8]


def read_header(source: Source) -> tuple[list[Tensor], dict[str, str]]:
    """The tensors of a file in the order of their numbers, and its metadata; no number is read.

    Raises
    ------
    FileFormatError
        The header is cut off, too long, no JSON, or says what cannot be: a name twice, numbers that overlap, leave a
        gap or lie beyond the end, an unknown number type.
    """
    length = int.from_bytes(source.read(0, 8), "little")
    if length > source.size - 8:
        raise source.damaged(f"its header of {length} bytes is cut off ({source.size} bytes in all)")
    if length > MAX_HEADER:
        raise source.damaged(f"a header of {length >> 20} MiB, where {MAX_HEADER >> 20} are enough for any network")
    try:
        text = source.read(8, length).decode("utf-8")
    except UnicodeDecodeError:
        raise source.damaged("its header is no text") from None
    header = parse_config(text, f"{source.name}: the header")
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise source.damaged(f"{METADATA} does not hold texts")
    if len(header) > MAX_TENSORS:
        raise source.damaged(f"it lists {len(header)} tensors, more than {MAX_TENSORS}")
    tensors = [_tensor(source, name, entry, 8 + length) for name, entry in header.items()]
    tensors.sort(key=lambda pair: pair[0])
    end = 8 + length
    for (begin, after), tensor in tensors:
        if begin != end:
            raise source.damaged(f"the numbers of {tensor.name!r} overlap others or leave a gap before them")
        end = after
    if end != source.size:
        raise source.damaged(f"its tensors end at byte {end}, the file at {source.size}")
    return [tensor for _, tensor in tensors], metadata


def _tensor(source: Source, name: str, entry: Any, start: int) -> tuple[tuple[int, int], Tensor]:
    """((first byte, byte after the last), what is there); each tensor by itself is as it should be."""
    dtype, shape, offsets = (entry.get(key) if isinstance(entry, dict) else None for key in FIELDS)
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or len(offsets) != 2 or len(shape) > MAX_AXES:
        raise source.damaged(f"the tensor {name!r} has no proper shape and data_offsets")
    if not isinstance(dtype, str) or dtype not in TYPES:
        raise FileFormatError(
            f"{source.name}: the tensor {name!r} holds {dtype!r}; read are {', '.join(TYPES)}: convert it to F32"
        )
    begin, end = offsets
    if end - begin != math.prod(shape) * TYPES[dtype].itemsize:
        raise source.damaged(f"the tensor {name!r} of shape {tuple(shape)} and type {dtype} has {end - begin} bytes")
    return (start + begin, start + end), Tensor(name, dtype, tuple(shape), start + begin)


def _whole_numbers(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def reader(source: Source, tensor: Tensor) -> Callable[..., np.ndarray]:
    """`read(expected_shape, dtype)` of a `WeightEntry`; float32 is read into place, without a copy."""
    return partial(_read, source, tensor)


def _read(source: Source, tensor: Tensor, expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
    expected = tuple(int(n) for n in expected_shape)
    if expected != tensor.shape:
        raise FileFormatError(
            f"{source.name}: the tensor {tensor.name!r} has shape {tensor.shape}, expected {expected}: "
            "these are weights of another architecture"
        )
    y, stored = np.empty(expected, dtype), TYPES[tensor.dtype]
    if y.dtype == stored and tensor.dtype != "BF16":
        _fill(source, tensor.address, y)
        return y
    flat, piece = y.reshape(-1), np.empty(min(y.size, PIECE), stored)
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes inf, which loading reports
        for first in range(0, flat.size, PIECE):
            part = piece[: flat.size - first]
            _fill(source, tensor.address + first * stored.itemsize, part)
            flat[first : first + PIECE] = _from_bfloat16(part) if tensor.dtype == "BF16" else part
    return y


def _fill(source: Source, address: int, array: np.ndarray) -> None:
    if array.size:
        source.readinto(address, array.reshape(-1).view(np.uint8).data)


def _from_bfloat16(values: np.ndarray) -> np.ndarray:
    """bfloat16 is the upper half of a float32."""
    return (values.astype(np.uint32) << 16).view(np.float32)


def write(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write named arrays, byte for byte as the official package does.

    Raises
    ------
    ArgumentError
        An array of a number type that the format does not have.
    FileAccessError
        The file cannot be written; a file that was there is kept.
    """
    order = list(TYPES)
    kinds = {name: _kind(name, array) for name, array in arrays.items()}
    names = sorted(arrays, key=lambda name: (-order.index(kinds[name]), name))
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    end = 0
    for name in names:
        begin, end = end, end + arrays[name].nbytes
        values = kinds[name], list(arrays[name].shape), [begin, end]
        header[name] = dict(zip(FIELDS, values))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            values = np.ascontiguousarray(arrays[name], TYPES[kinds[name]]).reshape(-1)
            file.write(values.view(np.uint8).data)


def _kind(name: str, array: np.ndarray) -> str:
    kind = WRITTEN.get(str(array.dtype.newbyteorder("=")))
    if kind is None:
        raise ArgumentError(f"{name}: {array.dtype} cannot be written to safetensors; it takes {', '.join(WRITTEN)}")
    return kind
