"""IDX files, as MNIST is published in: the sizes of an array, and then its numbers, row by row.

Two zeros, a byte for the type of number, one for the count of axes, a big-endian 32-bit size of each axis, the numbers,
big-endian too.  Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from minicnn.data.problems import printable
from minicnn.errors import FileAccessError, FileFormatError

MAX_BYTES = 2**31

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_MAX_AXES = 8


def read_idx(path: str | Path) -> np.ndarray:
    """The array of an IDX file, packed by gzip or not.

    Raises
    ------
    FileAccessError, FileFormatError
        It cannot be read, is no IDX file, is cut off, or holds more than its sizes say.

    Examples
    --------
    >>> read_idx("train-images-idx3-ubyte.gz").shape            # doctest: +SKIP
    (60000, 28, 28)
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            if not packed:
                return _read(file, path)
            with gzip.open(file) as unpacked:
                return _read(unpacked, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: its gzip packing is damaged ({error}); fetch it again") from None
    except FileFormatError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise FileAccessError(f"{printable(path)} cannot be read ({reason}): check its name") from None


def _read(file, path: Path) -> np.ndarray:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not 0 < start[3] <= _MAX_AXES:
        raise FileFormatError(f"{path} is no IDX file: it does not begin with two zeros, a type and a count of axes")
    sizes_read = file.read(4 * start[3])
    kind = np.dtype(_TYPES[start[2]])
    if len(sizes_read) < 4 * start[3]:
        raise FileFormatError(f"{path} is cut off within its sizes; fetch it again")
    sizes = struct.unpack(f">{start[3]}I", sizes_read)
    expected = math.prod(sizes) * kind.itemsize
    if math.prod(max(size, 1) for size in sizes) * kind.itemsize > MAX_BYTES:  # NumPy refuses these, empty or not
        raise FileFormatError(f"{path} says its sizes are {sizes}, the limit is {MAX_BYTES:,} bytes")
    data = file.read(expected + 1)
    if len(data) != expected:
        found = "more" if len(data) > expected else f"{len(data):,}"
        raise FileFormatError(f"{path} holds {found} bytes, its sizes {sizes} need {expected:,}; fetch it again")
    return np.frombuffer(data, kind).reshape(sizes).astype(kind.newbyteorder("="))
