"""What the bytes mean: dataspaces (shapes), datatypes, and the values of attributes.

Only numbers and strings are understood; everything else (references, enums, compounds, variable-length numbers) is
refused by name before a byte of its data is looked at.
Source: HDF5 File Format Specification 3.0, sections IV.A.2.b, d, m and III.E.
"""

import math
from dataclasses import dataclass

import numpy as np

from .source import UNDEFINED, Fields, Source

FIXED, FLOAT, STRING, OPAQUE, VARIABLE = 0, 1, 3, 5, 9
CLASSES = {2: "time", 4: "bitfield", 6: "compound", 7: "reference", 8: "enumerated", 10: "array", 11: "complex"}
FLOATS = {2: (5, 10), 4: (8, 23), 8: (11, 52)}  # bytes: bits of exponent and mantissa of the IEEE formats
MAX_RANK = 32
MAX_ATTRIBUTE = 16 << 20  # bytes of one attribute's value; a ResNet152 config has about 0.3 MiB


@dataclass(frozen=True)
class Datatype:
    """kind "number" (dtype set), "opaque", "string" (fixed length) or "variable string"; `size` bytes an element."""

    kind: str
    size: int
    dtype: np.dtype | None = None

    def __str__(self) -> str:
        return self.kind if self.dtype is None else self.dtype.newbyteorder("=").name


def read_shape(fields: Fields) -> tuple[int, ...] | None:
    """The shape in a dataspace message; () for a scalar, None for a null dataspace."""
    version, rank, flags, kind = (fields.number(1) for _ in range(4))
    if version == 1:
        fields.take(4)
        kind = 1
    if version not in (1, 2) or rank > MAX_RANK or kind > 2 or flags > 3:
        raise fields.source.damaged("a shape of an unknown kind")
    return None if kind == 2 else tuple(fields.address() for _ in range(rank))


def read_datatype(fields: Fields) -> Datatype:
    """The datatype in a datatype message."""
    source = fields.source
    kind, version = (byte := fields.number(1)) & 15, byte >> 4
    bits, size = fields.number(3), fields.number(4)
    if version not in (1, 2, 3, 4, 5) or size == 0:
        raise source.damaged("a datatype of an unknown version")
    if kind == STRING:
        return Datatype("string", size)
    if kind == OPAQUE:
        return Datatype("opaque", size)
    if kind in (FIXED, FLOAT):
        return Datatype("number", size, _number_dtype(fields, kind, bits, size))
    if kind == VARIABLE and bits & 15 == 1 and size == 16:
        return Datatype("variable string", size)
    raise source.refused(f"data of {CLASSES.get(kind, 'variable-length')} type")


def _number_dtype(fields: Fields, kind: int, bits: int, size: int) -> np.dtype:
    source, order = fields.source, ">" if bits & 1 else "<"
    offset, precision = fields.number(2), fields.number(2)
    if offset or precision != 8 * size or size not in (1, 2, 4, 8):
        raise source.refused(f"numbers of {precision} bits in {size} bytes")
    if kind == FIXED:
        return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}")
    _, exponent, _, mantissa = (fields.number(1) for _ in range(4))
    if FLOATS.get(size) != (exponent, mantissa) or bits & 0x40:
        raise source.refused(f"floating-point numbers of {exponent} + {mantissa} bits")
    return np.dtype(f"{order}f{size}")


class Attribute:
    """One named value beside a group or dataset; decoded when asked for."""

    def __init__(self, fields: Fields):
        source = self.source = fields.source
        version, flags = fields.number(1), fields.number(1)
        if version not in (1, 2, 3) or (version > 1 and flags & 3):
            raise source.refused("an attribute of an unknown kind")
        sizes = [fields.number(2) for _ in range(3)]
        if version == 3:
            fields.take(1)  # character set of the name
        padding = 8 if version == 1 else 1
        name, datatype, dataspace = (fields.take(-(-size // padding) * padding)[:size] for size in sizes)
        self.name = name.split(b"\0")[0].decode("utf-8", "replace")
        self._datatype, self._dataspace = Fields(source, datatype), Fields(source, dataspace)
        self._data = fields.take(fields.left)

    def value(self) -> object:
        """A str, a number, or a flat list of either.

        Raises
        ------
        FileFormatError
            The attribute holds something else than strings and numbers, or more than 16 MiB.
        """
        datatype, shape = read_datatype(self._datatype), read_shape(self._dataspace)
        self._datatype.position = self._dataspace.position = 0
        count = 0 if shape is None else math.prod(shape)
        if count * datatype.size > len(self._data):
            raise self.source.damaged(f"the attribute {self.name!r} is longer than its data")
        self.source.step(count)
        cells = [self._data[i * datatype.size : (i + 1) * datatype.size] for i in range(count)]
        values, letters = [], 0
        for cell in cells:
            values.append(self._decode(cell, datatype))
            letters += len(values[-1]) if isinstance(values[-1], str) else 0
            if letters > MAX_ATTRIBUTE:  # all may point to the same long string
                raise self.source.refused(f"the attribute {self.name!r} has more than {MAX_ATTRIBUTE >> 20} MiB")
        return values[0] if shape == () else values

    def _decode(self, cell: bytes, datatype: Datatype) -> object:
        if datatype.dtype is not None:
            return np.frombuffer(cell, datatype.dtype)[0].item()
        if datatype.kind == "opaque":
            raise self.source.refused(f"the attribute {self.name!r} holds opaque bytes")
        if datatype.kind == "variable string":
            cell = read_global_heap(self.source, Fields(self.source, cell))
        try:
            return cell.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError:
            raise self.source.damaged(f"the attribute {self.name!r} is not text") from None


def read_global_heap(source: Source, reference: Fields) -> bytes:
    """The bytes of one variable-length string: (length, collection, index) points into a global heap collection."""
    length, address, index = reference.number(4), reference.address(), reference.number(4)
    if length == 0 or address in (0, UNDEFINED):
        return b""
    if address not in source.collections:
        source.collections[address] = _read_collection(source, address)
    place, size = source.collections[address].get(index, (0, 0))
    if length > size:
        raise source.damaged("a string is not in its collection")
    return source.read(place, length)


def _read_collection(source: Source, address: int) -> dict[int, tuple[int, int]]:
    """{index: (address, size)} of the objects in a global heap collection."""
    head = source.fields(address, 16)
    head.expect(b"GCOL", "collection of strings")
    head.take(4)
    block = source.fields(address, head.address())
    block.take(16)
    objects: dict[int, tuple[int, int]] = {}
    while block.left >= 16:
        source.step()
        index = block.number(2)
        block.take(6)
        size = block.address()
        if index == 0:  # the free space at the end
            break
        objects[index] = (address + block.position, size)
        block.take(min(-(-size // 8) * 8, block.left))
    return objects
