"""Many links or attributes in one object (libver='latest'): a B-tree v2 of records that point into a fractal heap.

The heap is a row-doubling table of direct blocks; an object's id is its offset and length in the heap's own
address space.  Objects of their own blocks ("huge") and compressed heaps are refused: no group of names needs them.
Source: HDF5 File Format Specification 3.0, sections III.A.2 and III.G.
"""

from collections.abc import Iterator

from .source import UNDEFINED, Fields, Source

MAX_DEPTH = 8
MAX_ROWS = 64


def heap_records(info: Fields, kind: int, *, index_size: int, id_offset: int) -> Iterator[Fields]:
    """The heap object of every record of type `kind`, if there is a heap, by the message that says where.

    A creation index has `index_size` bytes there; the object's id starts at byte `id_offset` of a record.
    """
    info.take(1)
    if info.number(1) & 1:
        info.take(index_size)  # the largest one
    heap, tree = info.address(), info.address()
    if heap == UNDEFINED:
        return
    objects = _FractalHeap(info.source, heap)
    for record in _tree_records(info.source, tree, kind):
        yield objects.read(record[id_offset : id_offset + objects.id_size])


def _bytes_for(value: int) -> int:
    """How many bytes hold an unsigned `value`."""
    return max(1, (value.bit_length() + 7) // 8)


def _tree_records(source: Source, address: int, kind: int) -> Iterator[bytes]:
    """Every record of a B-tree v2, in no particular order."""
    head = source.fields(address, 34)
    head.expect(b"BTHD\0", "index")
    if head.number(1) != kind:
        raise source.damaged("an index is of the wrong kind")
    node_size, record_size, depth = head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, count = head.address(), head.number(2)
    if depth > MAX_DEPTH or record_size == 0 or node_size < 10 + record_size:
        raise source.damaged("an index has an impossible shape")
    capacities = [(node_size - 10) // record_size]  # records of a node, from the leaves up
    totals = [capacities[0]]  # records of a whole subtree
    for level in range(depth):
        pointer = 8 + _bytes_for(capacities[0]) + (_bytes_for(totals[-1]) if level else 0)
        capacities.append((node_size - 10 - pointer) // (record_size + pointer))
        totals.append(capacities[-1] + (capacities[-1] + 1) * totals[-1])
    nodes, visited = [(root, count, depth)] if root != UNDEFINED else [], set()
    while nodes:
        address, count, level = nodes.pop()
        if address in visited or count > capacities[level]:
            raise source.damaged("an index contains itself")
        visited.add(address)
        node = source.fields(address, node_size if level else 6 + count * record_size)
        node.expect(b"BTIN\0" if level else b"BTLF\0", "part of an index")
        node.take(1)
        for _ in range(count):
            source.step()
            yield node.take(record_size)
        for _ in range(count + 1 if level else 0):
            child, size = node.address(), node.number(_bytes_for(capacities[0]))
            node.take(_bytes_for(totals[level - 1]) if level > 1 else 0)
            nodes.append((child, size, level - 1))


class _FractalHeap:
    """Objects by heap id: type, offset in the heap, length."""

    def __init__(self, source: Source, address: int):
        self.source = source
        head = source.fields(address, 142)
        head.expect(b"FRHP\0", "heap")
        self.id_size, filters = head.number(2), head.number(2)
        head.take(1)
        largest = head.number(4)
        head.take(12 * 8)  # huge objects, free space, statistics
        self.width, self.first_size, self.largest_direct = head.number(2), head.address(), head.address()
        bits = head.number(2)
        head.take(2)
        self.root, self.rows = head.address(), head.number(2)
        if filters:
            raise source.refused("the names of a group are compressed")
        if self.rows > MAX_ROWS or bits > 64 or not self.width or not self.first_size:
            raise source.damaged("a heap has an impossible shape")
        self.offset_size = -(-bits // 8)
        self.length_size = min(_bytes_for(largest), _bytes_for(self.largest_direct))

    def read(self, heap_id: bytes) -> Fields:
        identifier = Fields(self.source, heap_id)
        kind = identifier.number(1) >> 4
        if kind == 2:  # tiny: the object is in the id
            return Fields(self.source, identifier.take((heap_id[0] & 15) + 1))
        if kind != 0:
            raise self.source.refused("a name or an attribute too long for its group")
        offset, length = identifier.number(self.offset_size), identifier.number(self.length_size)
        return self.source.fields(self._locate(offset), length)

    def _locate(self, offset: int) -> int:
        """The file address of a heap offset: down the indirect blocks, whose rows double in size from row 1 on."""
        block, rows, start = self.root, self.rows, 0
        while rows:
            for row in range(rows):
                size = self.first_size << max(0, row - 1)
                if offset < start + size * self.width:
                    break
                start += size * self.width
            else:
                raise self.source.damaged("an object is outside its heap")
            column = (offset - start) // size
            start += column * size
            self.source.fields(block, 4).expect(b"FHIB", "block of a heap")
            entry = block + 13 + self.offset_size + 8 * (row * self.width + column)
            block = self.source.fields(entry, 8).address()
            direct = size <= self.largest_direct
            rows = 0 if direct else (size // (self.first_size * self.width)).bit_length()
        self.source.fields(block, 4).expect(b"FHDB", "block of a heap")
        return block + offset - start
