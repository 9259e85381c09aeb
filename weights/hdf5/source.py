"""Bounds-checked bytes: every number that an HDF5 file states is read, and doubted, through these two classes.

A damaged or hostile file lies about addresses and lengths.  `Source` never reads outside the file, `Fields` never
outside the block it was given, and a step budget ends any loop that a file could make endless.
"""

import os
import stat
from typing import BinaryIO

from minicnn.errors import FileAccessError, FileFormatError

from ..others import OURS, what_a_folder_is, what_is_missing

UNDEFINED = 0xFFFFFFFFFFFFFFFF  # HDF5's "no address"
MAX_BLOCK = 32 << 20  # bytes of metadata in one piece; real files stay below 1 MiB
MAX_STEPS = 300_000  # kilobytes and entries of metadata visited in one file; a file of 1,240 arrays needs 32,000
MAX_RATIO = 20  # weights shrink to nine tenths; only zeros shrink much more
MAX_INFLATED = 64 << 20  # bytes beyond that ratio, in the whole file: the zeros of a new model


class Source:
    """A file (or the bytes of an archive member) with a name for messages.

    Parameters
    ----------
    file : binary file
        Seekable; read from its beginning.
    name : str
        What messages call it.
    """

    def __init__(self, file: BinaryIO, name: str):
        self.file = file
        self.name = name
        self.size = file.seek(0, os.SEEK_END)
        self.base = 0  # where the HDF5 data begins: addresses count from here
        self.collections: dict[int, dict[int, tuple[int, int]]] = {}  # global heap: where each string lies
        self._steps = self._inflated = 0

    @classmethod
    def open(cls, path: str | os.PathLike) -> "Source":
        """Open a regular file; anything else (folder, pipe, device) is refused."""
        name = os.fspath(path)
        try:
            mode = os.stat(name).st_mode
            if stat.S_ISDIR(mode):
                raise FileAccessError(f"{name} is {what_a_folder_is(name)}")
            if not stat.S_ISREG(mode):
                raise FileAccessError(f"{name} is not a file but a device or a pipe: name {OURS}")
            return cls(open(name, "rb", buffering=1 << 16), name)
        except FileNotFoundError:
            raise FileAccessError(what_is_missing(name)) from None
        except (OSError, ValueError) as error:
            if isinstance(error, FileAccessError):
                raise
            raise FileAccessError(f"{name} cannot be opened: {getattr(error, 'strerror', None) or error}") from None

    def close(self) -> None:
        self.file.close()

    def damaged(self, what: str) -> FileFormatError:
        """The error for a file that contradicts itself."""
        return FileFormatError(f"{self.name}: {what}; the file is damaged: download it or copy it again")

    def refused(self, what: str) -> FileFormatError:
        """The error for a file that uses what no Keras file needs."""
        return FileFormatError(f"{self.name}: {what}; Keras writes no such file: save the weights again with Keras")

    def step(self, count: int = 1) -> None:
        """Count `count` visited entries; a file that needs absurdly many is refused."""
        self._steps += count
        if self._steps > MAX_STEPS:
            raise self.damaged("its structure does not end")

    def inflate(self, stored: int, size: int) -> None:
        """Count `stored` compressed bytes that become `size`; a file that grows absurdly is refused."""
        self._inflated += max(0, size - MAX_RATIO * stored)
        if self._inflated > MAX_INFLATED:
            raise self.damaged(f"its compressed data grows more than {MAX_RATIO} times: do not trust it")

    def left(self, address: int) -> int:
        """Bytes from `address` to the end of the file, at least 0."""
        return max(0, self.size - self.base - address)

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of metadata at `address`."""
        if size > MAX_BLOCK:
            raise self.damaged(f"a block of {size} bytes where a few kilobytes are usual")
        self.step(1 + size // 1024)
        data = bytearray(size)
        self.readinto(address, memoryview(data))
        return bytes(data)

    def readinto(self, address: int, view: memoryview) -> None:
        """Fill `view` from `address`."""
        if self.base + address + len(view) > self.size:
            raise self.damaged(f"it refers to bytes beyond its end ({self.size} bytes)")
        try:
            self.file.seek(self.base + address)
            done = 0
            while done < len(view):
                count = self.file.readinto(view[done:])  # pyright: ignore[reportAttributeAccessIssue]
                if not count:
                    raise self.damaged("it became shorter while it was read")
                done += count
        except OSError as error:
            raise FileAccessError(f"{self.name} cannot be read: {error.strerror or error}") from None

    def fields(self, address: int, size: int) -> "Fields":
        """A cursor over `size` bytes at `address`."""
        return Fields(self, self.read(address, size))


class Fields:
    """A cursor over one block: little-endian unsigned integers, raw bytes, signatures."""

    def __init__(self, source: Source, data: bytes):
        self.source = source
        self.data = data
        self.position = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.position

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.position + size
        if end > len(self.data):
            raise self.source.damaged("a block ends before its contents do")
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def number(self, size: int) -> int:
        """The next `size` bytes as an unsigned integer."""
        return int.from_bytes(self.take(size), "little")

    def address(self) -> int:
        """The next 8 bytes, an address or a length."""
        return int.from_bytes(self.take(8), "little")

    def expect(self, signature: bytes, what: str) -> None:
        """The next bytes must be `signature`."""
        if self.take(len(signature)) != signature:
            raise self.source.damaged(f"a {what} is not where it should be")
