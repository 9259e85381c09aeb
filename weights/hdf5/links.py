"""Groups: from a group's object header to {name: address of the member's object header}.

Old files keep members in a B-tree of symbol tables, new ones in link messages or, when there are many, in a fractal
heap.  Only hard links are followed: a soft or external link is listed with the address None, and asking for
it is an error.
Source: HDF5 File Format Specification 3.0, sections III.A to III.D, IV.A.2.g and IV.A.2.r.
"""

from .fractal_heap import heap_records
from .objects import LINK, LINK_INFO, SYMBOL_TABLE, ObjectHeader
from .source import UNDEFINED, Fields, Source

NAME_RECORD = 5  # B-tree v2 records: links by name
MAX_LEVEL = 20
MAX_NAME = 4096  # bytes; many names may lie in one another, as ends of a long one


def read_links(header: ObjectHeader) -> dict[str, int | None]:
    """{name: address} of a group's members; None where the member is not a hard link."""
    links: dict[str, int | None] = {}
    for message in header.all(SYMBOL_TABLE):
        _add_symbol_tables(header.source, message, links)
    for message in header.all(LINK):
        _add_link(message, links)
    for message in header.all(LINK_INFO):
        for record in heap_records(message, NAME_RECORD, index_size=8, id_offset=4):
            _add_link(record, links)
    return links


def _add(source: Source, links: dict[str, int | None], name: bytes, address: int | None) -> None:
    source.step(len(name) // 1024)
    if len(name) > MAX_NAME:
        raise source.refused(f"a group has a member whose name has {len(name)} bytes")
    try:
        key = name.decode("utf-8")
    except UnicodeDecodeError:
        raise source.damaged("a name is not text") from None
    if key in links:
        raise source.damaged(f"a group has two members called {key!r}")
    links[key] = address


def _add_link(message: Fields, links: dict[str, int | None]) -> None:
    """One link message, version 1."""
    version, flags = message.number(1), message.number(1)
    if version != 1:
        raise message.source.damaged("a link of an unknown version")
    kind = message.number(1) if flags & 8 else 0
    message.take((8 if flags & 4 else 0) + (1 if flags & 0x10 else 0))  # creation order, character set
    name = message.take(message.number(1 << (flags & 3)))
    _add(message.source, links, name, message.address() if kind == 0 else None)


def _add_symbol_tables(source: Source, message: Fields, links: dict[str, int | None]) -> None:
    """Every entry of an old-style group: B-tree v1 -> symbol nodes -> names in a local heap."""
    tree, names = message.address(), _LocalHeap(source, message.address())
    visited: set[int] = set()
    nodes = [(tree, MAX_LEVEL)]
    while nodes:
        address, above = nodes.pop()
        if address in visited:
            raise source.damaged("a group's index contains itself")
        visited.add(address)
        head = source.fields(address, 24)
        head.expect(b"TREE", "group index")
        kind, level, count = head.number(1), head.number(1), head.number(2)
        if kind != 0 or level >= above:
            raise source.damaged("a group's index is of the wrong kind")
        children = source.fields(address + 24, 16 * count)
        for _ in range(count):
            children.take(8)  # the key: nothing is searched, all is listed
            child = children.address()
            if level:
                nodes.append((child, level))
            elif child in visited:
                raise source.damaged("a group's index contains itself")
            else:
                visited.add(child)
                _add_symbol_node(source, child, names, links)


def _add_symbol_node(source: Source, address: int, names: "_LocalHeap", links: dict[str, int | None]) -> None:
    head = source.fields(address, 8)
    head.expect(b"SNOD", "list of group members")
    head.take(2)
    count = head.number(2)
    entries = source.fields(address + 8, 40 * count)
    for _ in range(count):
        source.step()
        name, target = entries.address(), entries.address()
        entries.take(24)
        _add(source, links, names.string(name), None if target == UNDEFINED else target)  # a soft link has no address


class _LocalHeap:
    """The member names of one old-style group."""

    def __init__(self, source: Source, address: int):
        head = source.fields(address, 32)
        head.expect(b"HEAP", "list of names")
        head.take(4)
        size = head.address()
        head.take(8)
        self.source = source
        self.data = source.read(head.address(), size)

    def string(self, offset: int) -> bytes:
        end = self.data.find(b"\0", offset) if offset < len(self.data) else -1
        if end < 0:
            raise self.source.damaged("a name is outside its list")
        return self.data[offset:end]
