"""Where a dataset's bytes lie: in its header, in one piece, or in chunks that may be shuffled and deflated.

Keras writes one little-endian float32 piece, which is read straight into place.
Source: HDF5 File Format Specification 3.0, sections III.A.1, IV.A.2.i and IV.A.2.l.
"""

import itertools
import math
import zlib
from collections.abc import Callable

import numpy as np

from .objects import FILTERS, LAYOUT, ObjectHeader
from .source import UNDEFINED, Fields, Source

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
FILTER_NAMES = {4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf", 32001: "blosc"}
PIECE = 4 << 20  # bytes converted at a time
MAX_CHUNK = 256 << 20
MAX_LEVEL = 20

Convert = Callable[[np.ndarray], np.ndarray]


class Contiguous:
    """All bytes in one piece."""

    def __init__(self, source: Source, name: str, address: int, size: int, shape: tuple[int, ...], dtype: np.dtype):
        self.source, self.address, self.dtype = source, address, dtype
        self.name = name
        self.stored, self.size = size, math.prod(shape) * dtype.itemsize

    def check(self) -> None:
        """The declared bytes must be there."""
        there = min(self.stored, self.source.left(self.address))
        if self.size > there:
            raise self.source.damaged(f"the dataset {self.name!r} declares {self.size} bytes, {there} are there")

    def read_into(self, out: np.ndarray, convert: Convert) -> None:
        flat = out.reshape(-1)
        if self.dtype == out.dtype and self.dtype.kind == "f":
            self.source.readinto(self.address, flat.data.cast("B"))
            return
        step = PIECE // self.dtype.itemsize
        for start in range(0, flat.size, step):
            piece = np.empty(min(step, flat.size - start), self.dtype)
            self.source.readinto(self.address + start * self.dtype.itemsize, piece.view(np.uint8).data)
            flat[start : start + piece.size] = convert(piece)


class Compact:
    """A few bytes inside the object header."""

    def __init__(self, source: Source, name: str, data: bytes, shape: tuple[int, ...], dtype: np.dtype):
        self.source, self.name, self.data, self.dtype = source, name, data, dtype
        self.count = math.prod(shape)

    def check(self) -> None:
        if len(self.data) < self.count * self.dtype.itemsize:
            raise self.source.damaged(f"the dataset {self.name!r} is longer than its data")

    def read_into(self, out: np.ndarray, convert: Convert) -> None:
        out.reshape(-1)[:] = convert(np.frombuffer(self.data, self.dtype, self.count))


class Chunked:
    """Equal blocks, found through a B-tree; the chunks at the upper edges stick out of the array."""

    def __init__(
        self,
        source: Source,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype,
        chunk: tuple[int, ...],
        filters: list[tuple[int, int]],
        chunks: Callable[[], dict],
    ):
        self.source, self.name, self.shape, self.dtype = source, name, shape, dtype
        self.chunk, self.filters, self.list_chunks = chunk, filters, chunks
        self.chunk_size = math.prod(chunk) * dtype.itemsize
        if not 0 < self.chunk_size <= MAX_CHUNK:
            raise source.refused(f"the dataset {name!r} has chunks of {self.chunk_size} bytes")

    def check(self) -> None:
        """Every chunk must be stored, in about its own size at most."""
        self.chunks = self.list_chunks()
        wanted = math.prod(-(-n // c) for n, c in zip(self.shape, self.chunk))
        if len(self.chunks) < wanted:
            raise self.source.damaged(f"the dataset {self.name!r} has {len(self.chunks)} of {wanted} chunks")
        limit = 2 * self.chunk_size + 1024
        for size, _, _ in self.chunks.values():
            if size > limit:
                raise self.source.damaged(f"the dataset {self.name!r} has a chunk of {size} stored bytes")
        self.source.inflate(sum(size for size, _, _ in self.chunks.values()), wanted * self.chunk_size)

    def read_into(self, out: np.ndarray, convert: Convert) -> None:
        starts = itertools.product(*(range(0, n, c) for n, c in zip(self.shape, self.chunk)))
        for start in starts:
            if start not in self.chunks:
                raise self.source.damaged(f"the dataset {self.name!r} lacks the chunk at {start}")
            block = np.frombuffer(self._unpack(*self.chunks[start]), self.dtype).reshape(self.chunk)
            place = tuple(slice(s, min(s + c, n)) for s, c, n in zip(start, self.chunk, self.shape))
            out[place] = convert(block[tuple(slice(0, p.stop - p.start) for p in place)])

    def _unpack(self, size: int, skipped: int, address: int) -> bytes:
        """The bytes of a chunk, its filters undone from the last to the first."""
        data = bytearray(size)
        self.source.readinto(address, memoryview(data))
        for i, (kind, element) in reversed(list(enumerate(self.filters))):
            if skipped >> i & 1:
                continue
            if kind == SHUFFLE:
                data = _unshuffle(data, element)
            else:
                data = self._inflate(data) if kind == DEFLATE else self._verified(data)
        if len(data) != self.chunk_size:
            raise self.source.damaged(f"the dataset {self.name!r} has a chunk of {len(data)} bytes")
        return bytes(data)

    def _inflate(self, data: bytes | bytearray) -> bytes:
        try:
            return zlib.decompressobj().decompress(data, self.chunk_size + 1)
        except zlib.error as error:
            raise self.source.damaged(f"the dataset {self.name!r} cannot be decompressed ({error})") from None

    def _verified(self, data: bytes | bytearray) -> bytes | bytearray:
        """The bytes before their checksum, when it is right."""
        body, stored = data[:-4], int.from_bytes(data[-4:], "little")
        if len(data) < 4 or fletcher32(body) != (stored >> 16) % 65535 << 16 | (stored & 65535) % 65535:
            raise self.source.damaged(f"a chunk of the dataset {self.name!r} does not have its checksum")
        return body


def fletcher32(data: bytes | bytearray) -> int:
    """Fletcher's checksum of big-endian 16-bit words w_i: (sum of running sums) << 16 | sum, both modulo 65535."""
    words = np.frombuffer(bytes(data) + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    falling = np.arange(len(words), 0, -1, dtype=np.uint64) % np.uint64(65535)
    return int((falling * words).sum()) % 65535 << 16 | int(words.sum()) % 65535


def _unshuffle(data: bytes | bytearray, element: int) -> bytes:
    """Undo "first bytes of all numbers, then second bytes, ..."; a remainder stays as it is."""
    count = len(data) // element
    body = np.frombuffer(data, np.uint8, count * element).reshape(element, count).T
    return body.tobytes() + bytes(data[count * element :])


def read_storage(
    header: ObjectHeader, name: str, shape: tuple[int, ...], dtype: np.dtype
) -> Contiguous | Compact | Chunked:
    """The storage that a dataset's layout and filter messages describe."""
    source = header.source
    filters = [entry for message in header.all(FILTERS) for entry in _read_filters(message, name)]
    layout = header.one(LAYOUT, "layout")
    version, kind = layout.number(1), layout.number(1)
    if version not in (3, 4, 5) or kind > 3:
        raise source.refused(f"the dataset {name!r} has a layout of version {version}")
    if kind == 3:
        raise source.refused(f"the dataset {name!r} is virtual: its data is in other files")
    if filters and kind != 2:
        raise source.damaged(f"the dataset {name!r} is compressed but not in chunks")
    if kind == 0:
        return Compact(source, name, layout.take(layout.number(2)), shape, dtype)
    if kind == 1:
        return Contiguous(source, name, layout.address(), layout.address(), shape, dtype)
    chunk, chunks = (_chunks_version_3 if version == 3 else _single_chunk)(layout, name)
    if len(chunk) != len(shape) or 0 in chunk or chunk[-1:] == ():
        raise source.damaged(f"the dataset {name!r} has chunks of shape {chunk}")
    return Chunked(source, name, shape, dtype, chunk, filters, chunks)


def _read_filters(message: Fields, name: str) -> list[tuple[int, int]]:
    """[(filter, size of an element)] in the order they were applied."""
    source, version, count = message.source, message.number(1), message.number(1)
    if version not in (1, 2):
        raise source.damaged(f"the dataset {name!r} has filters of an unknown version")
    if version == 1:
        message.take(6)
    filters = []
    for _ in range(count):
        kind = message.number(2)
        if kind not in (DEFLATE, SHUFFLE, FLETCHER32):
            raise source.refused(f"the dataset {name!r} uses the filter {FILTER_NAMES.get(kind, kind)}")
        title = message.number(2) if version == 1 else 0
        message.take(2)
        values = message.number(2)
        message.take(-(-title // 8) * 8)
        data = [message.number(4) for _ in range(values)]
        if version == 1 and values % 2:
            message.take(4)
        element = data[0] if data else 0
        if kind == SHUFFLE and not 0 < element <= 16:
            raise source.damaged(f"the dataset {name!r} is shuffled by {element} bytes")
        filters.append((kind, element))
    return filters


def _chunks_version_3(layout: Fields, name: str) -> tuple[tuple[int, ...], Callable[[], dict]]:
    """Chunk shape and lister of the layout that all but libver='latest' files have."""
    dimensions, tree = layout.number(1), layout.address()
    chunk = tuple(layout.number(4) for _ in range(dimensions))[:-1]  # the last one is the element size
    return chunk, lambda: _tree_chunks(layout.source, name, tree, dimensions)


def _single_chunk(layout: Fields, name: str) -> tuple[tuple[int, ...], Callable[[], dict]]:
    """Chunk shape and lister of a libver='latest' dataset that is one chunk."""
    flags, dimensions, size = layout.number(1), layout.number(1), layout.number(1)
    chunk = tuple(layout.number(size) for _ in range(dimensions))
    element = chunk[-1] if chunk else 0
    if layout.number(1) != 1:
        raise layout.source.refused(f"the dataset {name!r} has chunks indexed in the way of libver='latest'")
    stored = layout.address() if flags & 2 else math.prod(chunk[:-1]) * element
    skipped = layout.number(4) if flags & 2 else 0
    address = layout.address()
    return chunk[:-1], lambda: {(0,) * (dimensions - 1): (stored, skipped, address)}


def _tree_chunks(source: Source, name: str, tree: int, dimensions: int) -> dict[tuple[int, ...], tuple[int, int, int]]:
    """{first index: (stored bytes, skipped filters, address)} from a B-tree v1 of chunks."""
    chunks: dict[tuple[int, ...], tuple[int, int, int]] = {}
    nodes, visited = [(tree, MAX_LEVEL)] if tree != UNDEFINED else [], set()
    while nodes:
        address, above = nodes.pop()
        if address in visited:
            raise source.damaged(f"the chunk index of {name!r} contains itself")
        visited.add(address)
        head = source.fields(address, 24)
        head.expect(b"TREE\1", "chunk index")
        level, count = head.number(1), head.number(2)
        if level >= above:
            raise source.damaged(f"the chunk index of {name!r} is of the wrong kind")
        entries = source.fields(address + 24, count * (16 + 8 * dimensions))
        for _ in range(count):
            source.step()
            size, skipped = entries.number(4), entries.number(4)
            start = tuple(entries.address() for _ in range(dimensions))[:-1]
            child = entries.address()
            if level:
                nodes.append((child, level))
            else:
                chunks[start] = (size, skipped, child)
    return chunks
