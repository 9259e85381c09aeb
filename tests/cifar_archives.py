"""Archives of the shape of cifar-10-python.tar.gz, as Python 2 wrote them, and small enough for a test."""

import io
import struct
import tarfile
from pathlib import Path

import numpy as np

TRAIN = [f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)]
TEST = "cifar-10-batches-py/test_batch"

RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\nq\x06cnumpy\nndarray\nq\x07K\x00\x85U\x01b\x87R"
BYTE_TYPE = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def text(value: str) -> bytes:
    """A str of Python 2."""
    return b"U" + bytes([len(value)]) + value.encode()


def number(value: int) -> bytes:
    return b"M" + struct.pack("<H", value)


def array(x: np.ndarray) -> bytes:
    """A uint8 array (n, m)."""
    shape = number(x.shape[0]) + number(x.shape[1]) + b"\x86"
    values = b"T" + struct.pack("<i", x.size) + x.tobytes()
    return RECONSTRUCT + b"q\x08(K\x01" + shape + BYTE_TYPE + b"\x89" + values + b"tb"


def batch(x: np.ndarray, labels: list[int], **others: list[int]) -> bytes:
    """The pickle (protocol 2) of one batch: x uint8 (n, 3072), labels, and other kinds of labels."""
    items = text("batch_label") + b"q\x02" + text("some batch")
    for name, values in {"labels": labels, **others}.items():
        items += text(name) + b"](" + b"".join(b"K" + bytes([label]) for label in values) + b"e"
    items += text("data") + array(x)
    items += text("filenames") + b"](" + b"".join(text(f"{i}.png") for i in range(len(labels))) + b"e"
    return b"\x80\x02}q\x01(" + items + b"u."


def write_archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
