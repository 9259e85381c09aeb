"""An HDF5 file as groups, attributes and datasets, reached by name."""

import io
import os
from functools import cached_property

from minicnn.errors import FileFormatError

from .dataset import Dataset
from .datatypes import Attribute
from .fractal_heap import heap_records
from .links import read_links
from .objects import ATTRIBUTE, ATTRIBUTE_INFO, LAYOUT, LINK, LINK_INFO, SYMBOL_TABLE, ObjectHeader, read_header
from .source import Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"
ATTRIBUTE_RECORD = 8  # B-tree v2 records: attributes by name
MAX_USER_BLOCK = 1 << 20
MAX_PARTS = 100  # of a path; a group may contain itself


class HDF5File:
    """A file opened for reading; use it in a `with` block.

    Parameters
    ----------
    source : path or bytes
        The file, or its contents.
    name : str, optional
        What messages call it; by default the path.

    Raises
    ------
    FileAccessError
        The file cannot be opened.
    FileFormatError
        It is not HDF5, is cut off, or contradicts itself.

    Examples
    --------
    >>> with HDF5File("model.h5") as file:                                      # doctest: +SKIP
    ...     file.root.group("conv1").dataset("conv1/kernel:0").read((3, 3, 3, 64))
    """

    def __init__(self, source: str | os.PathLike | bytes, name: str = ""):
        if isinstance(source, bytes):
            self._source = Source(io.BytesIO(source), name)
        else:
            self._source = Source.open(source)
        try:
            self.root = Group(read_header(self._source, _root_address(self._source)), "/")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "HDF5File":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()


def is_hdf5(source: Source) -> bool:
    """Whether the HDF5 signature is at byte 0, or at 512, 1024, 2048, ... after a user block."""
    return _signature_offset(source) is not None


def _signature_offset(source: Source) -> int | None:
    offset = 0
    while offset + len(SIGNATURE) <= source.size and offset <= MAX_USER_BLOCK:
        if source.read(offset, len(SIGNATURE)) == SIGNATURE:
            return offset
        offset = 2 * offset or 512
    return None


def _root_address(source: Source) -> int:
    """Read the superblock: check the file's length, return the address of the root group's object header."""
    start = _signature_offset(source)
    if start is None:
        raise FileFormatError(f"{source.name} is not an HDF5 file: it lacks the HDF5 signature")
    source.base = start
    block = source.fields(8, min(88, source.left(8)))
    version = block.number(1)
    if version > 3:
        raise source.refused(f"a superblock of version {version}")
    block.take(4 if version < 2 else 0)
    if (block.number(1), block.number(1)) != (8, 8):
        raise source.refused("addresses that are not of 8 bytes")
    if version < 2:
        block.take({0: 9, 1: 13}[version])
        base = block.address()
        block.take(8)  # free space
        end = block.address()
        block.take(16)  # driver information, name of the root group
    else:
        block.take(1)
        base = block.address()
        block.take(8)  # extension
        end = block.address()
    if end - base > source.left(0):
        raise source.damaged(f"it is cut off: {end - base + start} bytes were written, {source.size} are there")
    return block.address()


class Group:
    """A group: its attributes and, by name, its members.

    Attributes
    ----------
    name : str
        Its path in the file, for messages.
    address : int
        Where it lies: two names of one group have one address.
    """

    def __init__(self, header: ObjectHeader, name: str):
        self.name = name
        self.address = header.address
        self._header = header
        self._source = header.source
        self._inside: dict[str, Group] = {}

    @cached_property
    def members(self) -> dict[str, int | None]:
        """{name: address}; the address is None where the member is a link, not an object."""
        return read_links(self._header)

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        return _read_attributes(self._header)

    def attribute(self, name: str) -> object:
        """The value of an attribute: str, number, list of either; None when there is none."""
        return self.attributes[name].value() if name in self.attributes else None

    def group(self, path: str) -> "Group":
        """The group at a path of names below this one.

        Raises
        ------
        FileFormatError
            It does not exist, is a link, or is not a group.
        """
        header, name = self._walk(path)
        if not (header.has(SYMBOL_TABLE) or header.has(LINK) or header.has(LINK_INFO)):
            raise self._source.damaged(f"{name!r} is not a group")
        return Group(header, name)

    def dataset(self, path: str, *, opaque_bfloat16: bool = False) -> Dataset:
        """The dataset at a path of names below this group, described but not read.

        `opaque_bfloat16`: opaque pairs of bytes are bfloat16, as in legacy files, which do not mark them.
        """
        header, name = self._walk(path)
        if not header.has(LAYOUT):
            raise self._source.damaged(f"{name!r} is not a dataset")
        marked = _read_attributes(header).get("dtype")  # Keras' mark of what HDF5 has no type for
        is_marked = marked is not None and marked.value() == "bfloat16"
        return Dataset(header, name, bfloat16=is_marked, opaque_bfloat16=opaque_bfloat16)

    def _walk(self, path: str) -> tuple[ObjectHeader, str]:
        """The object header at a path, one hard link at a time, and its full name."""
        parts = path.split("/")
        if path.startswith("/") or "\0" in path or not path or any(part in (".", "..") for part in parts):
            raise self._source.damaged(f"the name {path!r} in {self.name!r} leaves its group")
        if len(parts) > MAX_PARTS:
            raise self._source.refused(f"a name in {self.name!r} leads through {len(parts)} groups")
        *parents, last = filter(None, parts)
        group = self
        for part in parents:
            if part not in group._inside:  # kept: of a nested model, each of the weights leads through the same one
                group._inside[part] = Group(*group._member(part))
            group = group._inside[part]
        return group._member(last)

    def _member(self, part: str) -> tuple[ObjectHeader, str]:
        """The object header of a member, and its full name."""
        name = f"{self.name.rstrip('/')}/{part}"
        if part not in self.members:
            raise self._source.damaged(f"{name!r} is listed but not there")
        address = self.members[part]
        if address is None:
            raise self._source.refused(f"{name!r} is a link, not an object of the file")
        return read_header(self._source, address), name


def _read_attributes(header: ObjectHeader) -> dict[str, Attribute]:
    """{name: attribute} from the header's own messages and, where there are many, its heap."""
    found = [Attribute(message) for message in header.all(ATTRIBUTE)]
    for info in header.all(ATTRIBUTE_INFO):
        found += map(Attribute, heap_records(info, ATTRIBUTE_RECORD, index_size=2, id_offset=0))
    attributes = {attribute.name: attribute for attribute in found}
    if len(attributes) < len(found):
        raise header.source.damaged("two attributes have one name")
    return attributes
