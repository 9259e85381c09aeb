"""The HDF5 reader against h5py on everything Keras files use, and its refusals of everything else."""

import tracemalloc
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.errors import FileAccessError, FileFormatError
from minicnn.weights.hdf5 import HDF5File
from minicnn.weights.hdf5.storage import fletcher32

RNG = np.random.default_rng(0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.h5"


def read(path, name="a", shape=None, **options):
    with HDF5File(path) as file:
        dataset = file.root.dataset(name)
        return dataset.read(dataset.shape if shape is None else shape, **options)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", ">f8", "<f8", "<i8", ">u2", "|u1", "<i4"])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_numbers_of_every_type_become_float32(path, dtype, libver):
    values = RNG.integers(0, 200, (3, 5, 2)).astype(dtype)
    with h5py.File(path, "w", libver=libver) as file:
        file["g/a"] = values
    found = read(path, "g/a")
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, values.astype(np.float32))


def test_bfloat16_is_the_upper_half_of_float32(path):
    values = np.float32([1.0, -2.5, 3.140625, 0.0])
    with h5py.File(path, "w") as file:
        file["a"] = (values.view(np.uint32) >> 16).astype("<u2").view("V2")
        file["a"].attrs["dtype"] = "bfloat16"
    np.testing.assert_array_equal(read(path), values)


def test_opaque_pairs_are_bfloat16_where_that_is_asked_for(path):
    values = np.float32([1.0, -2.5])
    with h5py.File(path, "w") as file:
        file["a"] = (values.view(np.uint32) >> 16).astype("<u2").view("V2")
        file["half"] = values.astype(np.float16)
        file["bytes"] = np.zeros(2, "V1")
    with HDF5File(path) as file:
        for name in ("a", "half"):
            np.testing.assert_array_equal(file.root.dataset(name, opaque_bfloat16=True).read((2,)), values)
        with pytest.raises(FileFormatError, match="holds opaque data"):
            file.root.dataset("bytes", opaque_bfloat16=True)


def test_a_float64_beyond_float32_becomes_infinite(path):
    with h5py.File(path, "w") as file:
        file["a"] = [1e300, 1.0]
    np.testing.assert_array_equal(read(path), np.float32([np.inf, 1]))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,)])
def test_scalars_and_empty_arrays(path, shape):
    with h5py.File(path, "w") as file:
        file["a"] = np.ones(shape, "f4")
    np.testing.assert_array_equal(read(path), np.ones(shape, "f4"))


def test_the_array_is_read_into_the_place_given(path):
    values = RNG.standard_normal((7, 3)).astype("f4")
    with h5py.File(path, "w") as file:
        file["a"] = values
    place = np.zeros((7, 3), "f4")
    assert read(path, out=place) is place
    np.testing.assert_array_equal(place, values)


def test_a_large_array_of_another_type_is_converted_in_pieces(path):
    values = RNG.standard_normal(1_500_000)
    with h5py.File(path, "w") as file:
        file["a"] = values
    np.testing.assert_array_equal(read(path), values.astype("f4"))


def test_a_compact_dataset_lies_in_its_header(path):
    values = RNG.standard_normal((4, 4)).astype("f4")
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(values.shape)
        h5py.h5d.create(file.id, b"a", h5py.h5t.IEEE_F32LE, space, properties).write(space, space, values)
    np.testing.assert_array_equal(read(path), values)


@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    data=st.data(),
    gzip=st.booleans(),
    shuffle=st.booleans(),
    checksum=st.booleans(),
)
def test_chunks_with_any_filters(tmp_path_factory, shape, data, gzip, shuffle, checksum):
    path = tmp_path_factory.mktemp("chunks") / "file.h5"
    chunks = tuple(data.draw(st.integers(1, n)) for n in shape)
    values = RNG.standard_normal(shape).astype("f4")
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "a", data=values, chunks=chunks, compression="gzip" if gzip else None, shuffle=shuffle, fletcher32=checksum
        )
    np.testing.assert_array_equal(read(path), values)


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_single_chunk_of_the_new_format(path, compression):
    values = RNG.standard_normal((6, 5)).astype("f4")
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("a", data=values, chunks=(6, 5), compression=compression)
    np.testing.assert_array_equal(read(path), values)


def test_fletcher32_is_that_of_its_author():
    # 01 02 03 04: words 0x0102, 0x0304; sums 0x0406 and 0x0102 + 0x0406
    assert fletcher32(b"\x01\x02\x03\x04") == 0x0508 << 16 | 0x0406


def test_a_wrong_checksum_is_noticed(path):
    values = np.arange(16, dtype="f4")
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=values, chunks=(16,), fletcher32=True)
    data = path.read_bytes()
    at = data.index(values.tobytes())
    path.write_bytes(data[:at] + b"\x01" + data[at + 1 :])
    with pytest.raises(FileFormatError, match="checksum"):
        read(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("count", [1, 9, 60, 1500])
def test_groups_of_any_size_list_their_members(path, libver, ordered, count):
    names = [f"layer_{i}" * (1 + i % 3) for i in range(count)]
    with h5py.File(path, "w", libver=libver, track_order=ordered) as file:
        for name in names:
            file.create_group(name)
    with HDF5File(path) as file:
        assert sorted(file.root.members) == sorted(names)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("ordered", [False, True])
def test_attributes_of_every_kind_that_keras_writes(path, libver, ordered):
    values = {
        "fixed": np.array([b"conv1", b"bn"]),
        "variable": ["conv1", "bn", "ü"],
        "empty": [],
        "text": "2.15.0",
        "bytes": np.bytes_(b"tensorflow"),
        "long": "x" * 100_000,
        "number": np.float32(0.5),
        "numbers": np.arange(3),
        **{f"more{i}": i for i in range(12)},
    }
    with h5py.File(path, "w", libver=libver, track_order=ordered) as file:
        for name, value in values.items():
            file.attrs[name] = value
    with HDF5File(path) as file:
        root = file.root
        assert root.attribute("fixed") == ["conv1", "bn"]
        assert root.attribute("variable") == ["conv1", "bn", "ü"]
        assert root.attribute("empty") == []
        assert root.attribute("text") == "2.15.0"
        assert root.attribute("bytes") == "tensorflow"
        assert root.attribute("long") == "x" * 100_000
        assert root.attribute("number") == 0.5
        assert root.attribute("numbers") == [0, 1, 2]
        assert root.attribute("more11") == 11
        assert root.attribute("absent") is None


@pytest.mark.parametrize("userblock", [0, 512, 4096])
def test_a_user_block_is_skipped(path, userblock):
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file["a"] = np.float32([1, 2])
    np.testing.assert_array_equal(read(path), [1, 2])


def refused(file, kind):
    """Add to an open file what a Keras file never has."""
    target = np.zeros(4, "f4")
    if kind == "soft link":
        file["b"] = target
        file["a"] = h5py.SoftLink("/b")
    elif kind == "external link":
        file["a"] = h5py.ExternalLink("other.h5", "/a")
    elif kind == "external storage":
        file.create_dataset("a", (4,), "f4", external=[("other.bin", 0, 16)])
    elif kind == "virtual":
        layout = h5py.VirtualLayout((4,), "f4")
        layout[...] = h5py.VirtualSource("other.h5", "a", (4,))
        file.create_virtual_dataset("a", layout)
    elif kind == "filter":
        file.create_dataset("a", data=target, chunks=(4,), compression="lzf")
    else:
        values = {
            "compound": np.zeros(4, [("x", "f4")]),
            "string": np.array([b"x"] * 4),
            "enumerated": np.zeros(4, bool),
            "no data": h5py.Empty("f4"),
            "opaque": np.zeros(4, "V2"),
            "128 bits": np.zeros(4, np.longdouble),
        }
        file["a"] = values[kind]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("soft link", "is a link"),
        ("external link", "is a link"),
        ("external storage", "in other files"),
        ("virtual", "virtual"),
        ("filter", "filter lzf"),
        ("compound", "compound"),
        ("string", "string"),
        ("enumerated", "enumerated"),
        ("no data", "no data"),
        ("opaque", "opaque"),
        ("128 bits", "bits"),
    ],
)
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_what_keras_never_writes_is_refused(path, kind, message, libver):
    with h5py.File(path, "w", libver=libver) as file:
        refused(file, kind)
    with pytest.raises(FileFormatError, match=message) as error:
        read(path, shape=(4,))
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([True, False], bool),
        (h5py.Reference(), h5py.ref_dtype),
        (np.zeros((), [("x", "f4")]), None),
        (np.array([np.zeros(2, "i4"), None], object)[:1], h5py.vlen_dtype(np.int32)),
    ],
    ids=["enumerated", "reference", "compound", "variable-length"],
)
def test_attributes_of_other_types_are_refused_before_they_are_read(path, value, dtype):
    with h5py.File(path, "w") as file:
        file.attrs.create("layer_names", value, dtype=dtype)
    with HDF5File(path) as file, pytest.raises(FileFormatError, match="type"):
        file.root.attribute("layer_names")


def test_another_shape_is_refused_before_anything_is_allocated(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (10**6, 10**6), "f4", chunks=(64, 64))
    with pytest.raises(FileFormatError, match=r"\(1000000, 1000000\).*expected \(3, 3\)"):
        read(path, shape=(3, 3))


@pytest.mark.parametrize("chunks", [None, (64, 64)])
def test_declared_but_not_stored_bytes_are_refused(path, chunks):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (10**6, 10**6), "f4", chunks=chunks)
    with pytest.raises(FileFormatError, match=r"4000000000000 bytes, 0 are there|of 244140625 chunks"):
        read(path, shape=(10**6, 10**6))


def test_a_layout_shorter_than_the_shape_is_refused(path):
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(25, dtype="f4")
        address = file["a"].id.get_offset()
    data = path.read_bytes()
    layout = address.to_bytes(8, "little") + (100).to_bytes(8, "little")
    assert data.count(layout) == 1
    path.write_bytes(data.replace(layout, address.to_bytes(8, "little") + (96).to_bytes(8, "little")))
    with pytest.raises(FileFormatError, match="declares 100 bytes, 96 are there"):
        read(path)


def test_a_chunk_that_inflates_without_end_is_not_inflated(path):
    values = RNG.integers(0, 256, 8192).astype("u1")
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=values, chunks=(8192,), compression="gzip")
        place = file["a"].id.get_chunk_info(0).byte_offset
    bomb = zlib.compress(bytes(7 << 20), 9)
    data = bytearray(path.read_bytes())
    data[place : place + len(bomb)] = bomb
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="a chunk of 8193 bytes"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_chunk_of_an_impossible_size_is_not_allocated(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.zeros(16, "f4"), chunks=(16,), compression="gzip")
        place = file["a"].id.get_chunk_info(0)
    data = path.read_bytes()
    key = place.size.to_bytes(4, "little") + bytes(4 + 2 * 8) + place.byte_offset.to_bytes(8, "little")
    assert data.count(key) == 1
    path.write_bytes(data.replace(key, b"\xff" * 4 + key[4:]))
    with pytest.raises(FileFormatError, match="4294967295 stored bytes"):
        read(path)


def test_a_missing_chunk_is_refused(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (8, 4), "f4", chunks=(4, 4))[:4] = 1
    with pytest.raises(FileFormatError, match="has 1 of 2 chunks"):
        read(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *((name, "leaves its group") for name in ("../a", "/g/a", "g/../a", "./g/a", "g/.", "..", "a\0b", "")),
        ("missing", "'/missing' is listed but not there"),
        ("g/b", "'/g/b' is listed but not there"),
        ("g/a/b", "'/g/a/b' is listed but not there"),
    ],
)
def test_names_that_leave_their_group_or_lead_nowhere(path, name, said):
    with h5py.File(path, "w") as file:
        file["g/a"] = 1.0
    with HDF5File(path) as file, pytest.raises(FileFormatError, match=said):
        file.root.dataset(name)


def test_a_group_is_no_dataset_and_the_other_way_round(path):
    with h5py.File(path, "w") as file:
        file["g/a"] = 1.0
    with HDF5File(path) as file:
        with pytest.raises(FileFormatError, match="not a dataset"):
            file.root.dataset("g")
        with pytest.raises(FileFormatError, match="not a group"):
            file.root.group("g/a")


def test_a_file_cut_off_says_how_much_is_missing(path):
    with h5py.File(path, "w") as file:
        file["a"] = np.zeros(1000, "f4")
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(FileFormatError, match=f"cut off: {len(data)} bytes were written, {len(data) - 1} are there"):
        HDF5File(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_every_length_of_a_cut_off_file_is_refused(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        file["a"] = np.zeros(3, "f4")
    data = path.read_bytes()
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(FileFormatError):
            HDF5File(path)


def test_missing_files_and_folders_are_access_errors(tmp_path):
    with pytest.raises(FileAccessError, match="does not exist"):
        HDF5File(tmp_path / "no.h5")
    with pytest.raises(FileAccessError, match="a folder"):
        HDF5File(tmp_path)
    with pytest.raises(FileAccessError):
        HDF5File("a\0b")


def test_bytes_are_read_like_a_file(path):
    with h5py.File(path, "w") as file:
        file["a"] = np.float32([1, 2])
    with HDF5File(path.read_bytes(), "member") as file:
        np.testing.assert_array_equal(file.root.dataset("a").read((2,)), [1, 2])


def test_a_dataset_that_grows_absurdly_is_refused_before_memory_is_taken(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "abc":
            file.create_dataset(name, data=np.zeros((6000, 1000), np.float32), chunks=(1000, 1000), compression="gzip")
    with HDF5File(str(tmp_path / "a.h5")) as file:
        for name in "ab":  # the zeros of a new model
            assert not file.root.dataset(name).read((6000, 1000)).any()
        with pytest.raises(FileFormatError, match="grows more than 20 times"):
            file.root.dataset("c").read((6000, 1000))
