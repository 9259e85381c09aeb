"""Object headers: every group and dataset is a list of messages (type, bytes).

Source: HDF5 File Format Specification 3.0, section IV.A.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .source import Fields, Source

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL_FILES, LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15
READ = {DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL_FILES, LAYOUT, FILTERS, ATTRIBUTE, SYMBOL_TABLE, ATTRIBUTE_INFO}
SHARED = 0x02  # flag: the message's contents are stored elsewhere
MAX_CHUNKS = 1000


@dataclass
class ObjectHeader:
    """The messages of one object, by type, in file order; they lie in chunks of (address, size)."""

    source: Source
    address: int
    messages: dict[int, list[bytes]] = field(default_factory=dict)
    chunks: list[tuple[int, int]] = field(default_factory=list)

    def all(self, kind: int) -> list[Fields]:
        """A cursor for each message of a type."""
        return [Fields(self.source, data) for data in self.messages.get(kind, [])]

    def one(self, kind: int, what: str) -> Fields:
        """The only message of a type."""
        found = self.all(kind)
        if len(found) != 1:
            raise self.source.damaged(f"an object has {len(found)} {what} messages instead of one")
        return found[0]

    def has(self, kind: int) -> bool:
        return kind in self.messages

    def blocks(self) -> Iterator[Fields]:
        """A cursor for each chunk; continuations are appended while this runs."""
        for visited, (address, size) in enumerate(self.chunks):
            if visited >= MAX_CHUNKS:
                raise self.source.damaged("an object header does not end")
            yield self.source.fields(address, size)

    def add(self, kind: int, flags: int, data: bytes) -> None:
        if kind == CONTINUATION:
            more = Fields(self.source, data)
            self.chunks.append((more.address(), more.address()))
        elif kind in READ:
            if flags & SHARED:
                raise self.source.refused("an object shares its description with another one")
            self.messages.setdefault(kind, []).append(data)


def read_header(source: Source, address: int) -> ObjectHeader:
    """The object header at `address`, version 1 (HDF5 1.0 to 1.6, Keras' own) or 2 (libver='latest')."""
    header = ObjectHeader(source, address)
    if source.read(address, 4) == b"OHDR":
        _read_version_2(header)
    else:
        _read_version_1(header)
    return header


def _read_version_1(header: ObjectHeader) -> None:
    source = header.source
    start = source.fields(header.address, 16)
    if start.number(1) != 1:
        raise source.damaged("an object header is not where it should be")
    start.take(1)
    left = start.number(2)
    start.take(4)
    header.chunks.append((header.address + 16, start.number(4)))
    for block in header.blocks():
        while left and block.left >= 8:
            source.step()
            left -= 1
            kind, length, flags = block.number(2), block.number(2), block.number(1)
            block.take(3)
            header.add(kind, flags, block.take(length))
    if left:
        raise source.damaged("an object header ends before its messages do")


def _read_version_2(header: ObjectHeader) -> None:
    source = header.source
    start = source.fields(header.address, min(38, source.left(header.address)))  # 38: the longest prefix
    start.expect(b"OHDR", "object header")
    if start.number(1) != 2:
        raise source.damaged("an object header of an unknown version")
    flags = start.number(1)
    start.take((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
    size = start.number(1 << (flags & 3))
    header.chunks.append((header.address + start.position, size))
    for visited, block in enumerate(header.blocks()):
        if visited:
            block.expect(b"OCHK", "continuation of an object header")
            block = Fields(source, block.take(block.left - 4))  # without the checksum
        while block.left >= (6 if flags & 4 else 4):
            source.step()
            kind, length, message_flags = block.number(1), block.number(2), block.number(1)
            if flags & 4:
                block.take(2)  # creation order
            header.add(kind, message_flags, block.take(length))
