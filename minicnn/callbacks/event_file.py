"""TensorBoard's event files: records of scalars, written without TensorFlow.

A record is    length uint64, crc(length) uint32, data, crc(data) uint32    little-endian, where data is an Event in
protocol buffers' wire format and crc is a masked CRC-32C.  Of an Event there are: wall_time (1, double), step (2, int),
file_version (3, text), summary (5); of a Summary: value (1); of a Value: tag (1, text), simple_value (2, float).

Source: lib/io/record_writer.h, util/event.proto and framework/summary.proto of TensorFlow's core.
"""

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minicnn.errors import FileAccessError

VERSION = b"brain.Event:2"
POLYNOMIAL = 0x82F63B78  # of Castagnoli, its bits reversed
MASK = 0xA282EAD8
DOUBLE, BYTES, FLOAT, INTEGER = 1, 2, 5, 0  # wire types


def _table() -> list[int]:
    """What each byte does to the remainder."""
    table = []
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = rest >> 1 ^ (POLYNOMIAL if rest & 1 else 0)
        table.append(rest)
    return table


TABLE = _table()


def crc32c(data: bytes) -> int:
    """
    The CRC-32C of bytes: the remainder of a division by Castagnoli's polynomial.

    Source: RFC 3720, appendix B.4.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    rest = 0xFFFFFFFF
    for byte in data:
        rest = rest >> 8 ^ TABLE[(rest ^ byte) & 0xFF]
    return rest ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """The CRC turned by 15 bits, plus a constant: data that hold CRCs themselves are told from their own."""
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """The bytes of one record."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(crc32c(length))) + data + struct.pack("<I", masked(crc32c(data)))


def event(wall_time: float, *fields: bytes) -> bytes:
    """The bytes of an Event."""
    return _field(1, DOUBLE, struct.pack("<d", wall_time)) + b"".join(fields)


def scalars(values: Mapping[str, float], step: int) -> tuple[bytes, bytes]:
    """The fields of an Event with some numbers at a step."""
    with np.errstate(over="ignore"):  # what 32 bits cannot hold is infinite
        numbers = {tag: np.array(value, "<f4").tobytes() for tag, value in values.items()}
    summary = b"".join(_text(1, _text(1, tag.encode()) + _field(2, FLOAT, data)) for tag, data in numbers.items())
    return _field(2, INTEGER, _varint(step)), _text(5, summary)


def _field(number: int, kind: int, data: bytes) -> bytes:
    return _varint(number << 3 | kind) + data


def _text(number: int, data: bytes) -> bytes:
    """A field of bytes, a text or a message."""
    return _field(number, BYTES, _varint(len(data)) + data)


def _varint(value: int) -> bytes:
    """A number of at least 0, seven bits a byte, the lowest first; the highest bit says that more follow."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


class EventFile:
    """
    A file to which events are added; TensorBoard shows each as soon as it is there.

    Parameters
    ----------
    folder : made if need be; the file has a name of its own in it

    Raises
    ------
    FileAccessError
        The folder or the file cannot be written.
    """

    def __init__(self, folder: str | Path):
        name = f"events.out.tfevents.{time.time_ns() // 10**9:010d}.{socket.gethostname()}.{os.getpid()}.{id(self)}"
        self.path = Path(folder) / f"{name}.v2"
        self._add(record(event(time.time(), _text(3, VERSION))))

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Some numbers at a step."""
        self._add(record(event(time.time(), *scalars(values, step))))

    def _add(self, data: bytes) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(data)
        except OSError as error:
            raise FileAccessError(f"TensorBoard: {self.path} cannot be written ({error.strerror})") from error
