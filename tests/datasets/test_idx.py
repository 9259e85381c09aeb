"""IDX files, and the sets that are published in them."""

import gzip
import struct

import numpy as np
import pytest

from minicnn.datasets import fashion_mnist, mnist, read_idx
from minicnn.errors import FileAccessError, FileFormatError

X = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
Y = np.arange(5, dtype=np.uint8)


def idx(array, code=0x08):
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("code", "kind"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")])
def test_arrays_of_every_type(tmp_path, pack, code, kind):
    array = (np.arange(24).reshape(2, 3, 4) - 3).astype(f">{kind}")
    (tmp_path / "a").write_bytes(pack(idx(array, code)))
    found = read_idx(tmp_path / "a")
    assert found.dtype == np.dtype(kind)
    assert np.array_equal(found, array)
    assert found.flags.writeable


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no IDX file"),
        (b"<html>", "is no IDX file"),
        (idx(X, 7), "is no IDX file"),
        (b"\0\0\x08\x00", "is no IDX file"),
        (idx(X)[:9], "is cut off within its sizes"),
        (idx(X)[:-1], r"holds 59 bytes, its sizes \(5, 4, 3\) need 60"),
        (idx(X) + b"x", r"holds more bytes, its sizes \(5, 4, 3\) need 60"),
        (b"\0\0\x08\x02" + b"\xff" * 8, r"says its sizes are \(4294967295, 4294967295\), the limit"),
        (b"\0\0\x08\x04" + b"\0" * 4 + b"\xff" * 12, r"says its sizes are \(0, 4294967295"),
        (gzip.compress(idx(X), mtime=0)[:-9], "its gzip packing is damaged"),
        (b"\x1f\x8bnonsense", "its gzip packing is damaged"),
    ],
)
def test_what_is_no_idx_file(tmp_path, data, said):
    (tmp_path / "a.idx").write_bytes(data)
    with pytest.raises(FileFormatError, match=rf"a\.idx:? {said}"):
        read_idx(tmp_path / "a.idx")
    with pytest.raises(FileAccessError, match="none cannot be read"):
        read_idx(tmp_path / "none")


def write_set(folder, prefix="", test="t10k", dot="-", pack=bytes):
    for name, scale in (("train", 1), (test, 2)):
        (folder / f"{prefix}{name}-images{dot}idx3-ubyte{'.gz' if pack is not bytes else ''}").write_bytes(
            pack(idx(X // scale))
        )
        (folder / f"{prefix}{name}-labels{dot}idx1-ubyte").write_bytes(idx(Y[::-1] if scale == 2 else Y))


@pytest.mark.parametrize(
    "options", [{}, {"prefix": "emnist-letters-", "test": "test"}, {"dot": "."}, {"pack": gzip.compress}]
)
def test_a_folder_of_a_set(tmp_path, options):
    write_set(tmp_path, **options)
    (x_train, y_train), (x_test, y_test) = mnist.read_folder(tmp_path)
    assert np.array_equal(x_train, X)
    assert np.array_equal(x_test, X // 2)
    assert (y_train.tolist(), y_test.tolist()) == ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])


def test_what_is_wrong_with_a_folder_is_said(tmp_path):
    with pytest.raises(FileAccessError, match=r"has none: train-images-idx3-ubyte or train-images-idx3-ubyte\.gz is"):
        mnist.read_folder(tmp_path)
    write_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(Y[:4]))
    with pytest.raises(FileFormatError, match=r"t10k-images.*: pictures are uint8 \(N,H,W\) with N labels; these are"):
        mnist.read_folder(tmp_path)
    write_set(tmp_path, "kmnist-")
    with pytest.raises(FileAccessError, match="has 2 files like it, kmnist-train-images"):
        mnist.read_folder(tmp_path)
    with pytest.raises(FileAccessError, match="none cannot be read"):
        mnist.read_folder(tmp_path / "none")


@pytest.mark.parametrize("read", [read_idx, mnist.read_folder])
def test_a_path_that_can_be_none_is_refused_in_a_line(read):
    with pytest.raises(FileAccessError, match=r"^a\\x00b\\n cannot be read \(embedded null byte\): ") as refused:
        read("a\0b\n")
    assert "\n" not in str(refused.value)


def test_real_digits(test_data):
    """The ten thousand test pictures; the first is a 7."""
    folder = test_data / "datasets"
    x = read_idx(folder / "mnist_t10k-images-idx3-ubyte.gz")
    y = read_idx(folder / "mnist_t10k-labels-idx1-ubyte.gz")
    assert (x.shape, y.shape, x.dtype) == ((10_000, 28, 28), (10_000,), np.uint8)
    assert y[:5].tolist() == [7, 2, 1, 0, 4]
    assert 30 < x.mean() < 36


def test_mnist_from_its_file(tmp_path, monkeypatch):
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=X, y_train=Y, x_test=X // 2, y_test=Y)
    monkeypatch.setattr(mnist, "fetch", lambda *call: path)
    (x, y), (x_test, _) = mnist.load_data()
    assert np.array_equal(x, X)
    assert np.array_equal(x_test, X // 2)
    assert y.tolist() == [0, 1, 2, 3, 4]
    for write in (lambda: np.savez(path, x_train=X), lambda: path.write_bytes(b"hello"), lambda: path.write_bytes(b"")):
        write()
        with pytest.raises(FileFormatError, match=r"mnist\.npz is no NumPy file with x_train"):
            mnist.load_data()
    np.savez(path, x_train=np.array([{}]), y_train=Y, x_test=X, y_test=Y)
    with pytest.raises(FileFormatError, match="no NumPy file with"):  # an object would be a pickle, which is not run
        mnist.load_data()


def test_fashion_mnist_from_its_files(tmp_path, monkeypatch):
    write_set(tmp_path, pack=gzip.compress)
    calls = []

    def fetch(url, name, file_hash, folder, check):
        calls.append(url)
        file = next(tmp_path.glob(f"{name.removesuffix('.gz')}*"))
        check(file)
        return file

    monkeypatch.setattr(fashion_mnist, "fetch", fetch)
    (x, y), (x_test, y_test) = fashion_mnist.load_data()
    assert np.array_equal(x, X)
    assert np.array_equal(x_test, X // 2)
    assert (y.tolist(), y_test.tolist()) == ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])
    assert len(set(calls)) == 4
    assert len(fashion_mnist.CLASS_NAMES) == 10
