"""Structures of an HDF5 file that lead back to themselves, lie elsewhere or do not end: each is refused by name."""

import io
import struct

import h5py
import numpy as np
import pytest

from minicnn.errors import FileFormatError
from minicnn.weights.hdf5 import HDF5File
from minicnn.weights.hdf5.objects import CONTINUATION, read_header
from minicnn.weights.hdf5.source import Source

COUNT = 300  # groups and chunks, so many that every index has a node above the others


@pytest.fixture(scope="module", params=["earliest", "latest"])
def libver(request):
    return request.param


@pytest.fixture(scope="module")
def indexed(libver, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("indexed") / "file.h5"
    with h5py.File(path, "w", libver=libver) as file:
        for number in range(COUNT):
            file.create_group(f"layer_{number}")
        if libver == "earliest":  # the new indices of chunks are not read
            file.create_dataset("a", data=np.arange(COUNT), chunks=(1,))
    return path.read_bytes()


def read_all(data: bytes) -> None:
    with HDF5File(data, "file.h5") as file:
        assert len(file.root.members) >= COUNT
        if "a" in file.root.members:
            file.root.dataset("a").read((COUNT,))


def number(data: bytes, place: int, form: str = "<Q") -> int:
    return struct.unpack_from(form, data, place)[0]


def indices(data: bytes) -> dict[str, tuple[int, int, int]]:
    """{index: (a node, its first child's address, the second's)}, all as places in the file."""
    if (head := data.find(b"BTHD\0")) >= 0:
        root, records = number(data, head + 16), number(data, head + 24, "<H") * number(data, head + 10, "<H")
        return {"an index": (root, root + 6 + records, root + 6 + records + 9)}
    chunks, group = data.index(b"TREE\1\1"), data.index(b"TREE\0\1")
    leaf = number(data, group + 32)
    return {
        "the chunk index of '/a'": (chunks, chunks + 48, chunks + 80),
        "a group's index": (group, group + 32, group + 48),
        "a group's index, last level": (leaf, leaf + 32, leaf + 48),
    }


def test_an_index_that_contains_itself_is_refused(indexed):
    read_all(indexed)
    for name, (node, first, second) in indices(indexed).items():
        for place, address in ((first, node), (second, number(indexed, first))):
            data = bytearray(indexed)
            struct.pack_into("<Q", data, place, address)
            with pytest.raises(FileFormatError, match=f"{name.partition(',')[0]} contains itself"):
                read_all(bytes(data))


def message(kind: int, data: bytes, flags: int = 0, *, old: bool) -> bytes:
    """A message of an object header of version 1 (old) or 2."""
    return struct.pack("<HHB3x" if old else "<BHB", kind, len(data), flags) + data


@pytest.mark.parametrize("old", [True, False])
def test_a_header_whose_continuation_is_itself_is_refused(old):
    place = 16 if old else 40
    size = 24 if old else 28
    back = message(CONTINUATION, struct.pack("<QQ", place, size), old=old)
    if old:
        data = struct.pack("<BxHII4x", 1, 65535, 1, len(back)) + back
    else:
        data = (b"OHDR\2\0" + bytes([len(back)]) + back).ljust(place) + b"OCHK" + back + bytes(4)
    with pytest.raises(FileFormatError, match="an object header does not end"):
        read_header(Source(io.BytesIO(data.ljust(64)), "file.h5"), 0)


def test_a_description_that_is_shared_is_refused(tmp_path, libver):
    with h5py.File(tmp_path / "file.h5", "w", libver=libver) as file:
        file["type"] = np.dtype("f4")
        file.create_dataset("a", (4,), file["type"])
    with HDF5File(tmp_path / "file.h5") as file, pytest.raises(FileFormatError, match="shares its description"):
        file.root.dataset("a")


def test_a_member_whose_name_leads_elsewhere_is_refused(tmp_path, libver):
    """No library writes such a name, but a file may hold it."""
    with h5py.File(tmp_path / "file.h5", "w", libver=libver) as file:
        file["g/xy"] = 1.0
    data = (tmp_path / "file.h5").read_bytes()
    assert data.count(b"xy") == 1
    with HDF5File(data.replace(b"xy", b".."), "file.h5") as file:
        group = file.root.group("g")
        assert list(group.members) == [".."]
        with pytest.raises(FileFormatError, match=r"the name '\.\.' in '/g' leaves its group"):
            group.dataset("..")
