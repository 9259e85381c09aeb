"""CIFAR-10 from a local archive of the published shape, and from hostile ones."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
from cifar_archives import TEST, TRAIN, batch, write_archive

from minicnn.datasets import cifar10
from minicnn.errors import DownloadError, FileFormatError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 4, 3072), np.uint8)
LABELS = RNG.integers(0, 10, (6, 4)).tolist()
MEMBERS = {name: batch(x, y) for name, x, y in zip([*TRAIN, TEST], PIXELS, LABELS)}


def test_arrays(tmp_path):
    path = write_archive(tmp_path / "a.tar.gz", {"cifar-10-batches-py/readme.html": b"hello", **MEMBERS})
    (x_train, y_train), (x_test, y_test) = cifar10.read_archive(path)
    assert x_train.shape == (20, 32, 32, 3)
    assert y_train.shape == (20, 1)
    assert x_test.shape == (4, 32, 32, 3)
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert x_train.flags.c_contiguous
    assert y_train[:, 0].tolist() == [label for labels in LABELS[:5] for label in labels]
    assert y_test[:, 0].tolist() == LABELS[5]
    # Pixel (row, column) of colour c is number 1024·c + 32·row + column of its line.
    for index, row, column, colour in [(0, 0, 0, 0), (7, 3, 31, 1), (19, 31, 2, 2)]:
        assert (
            x_train[index, row, column, colour]
            == PIXELS[:5].reshape(20, 3072)[index, 1024 * colour + 32 * row + column]
        )
    assert list(tmp_path.iterdir()) == [path], "nothing is unpacked"


def test_load_data_asks_for_the_published_file(tmp_path, monkeypatch):
    path = write_archive(tmp_path / "a.tar.gz", MEMBERS)
    calls = []

    def fetch(url, file_name, file_hash, subfolder):
        calls.append((url, file_name, file_hash, subfolder))
        return path

    monkeypatch.setattr(cifar10, "fetch", fetch)
    (_, y_train), _ = cifar10.load_data()
    assert y_train[:, 0].tolist() == [label for labels in LABELS[:5] for label in labels]
    assert calls == [
        (
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "cifar-10-python.tar.gz",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            "datasets",
        )
    ]


def test_load_data_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("MINICNN_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"put the file at .*datasets/cifar-10-python\.tar\.gz"):
        cifar10.load_data()
    (tmp_path / "datasets").mkdir(exist_ok=True)
    write_archive(tmp_path / "datasets" / "cifar-10-python.tar.gz", MEMBERS)
    (x_train, _), (_, y_test) = cifar10.load_data()
    assert x_train.shape == (20, 32, 32, 3)
    assert y_test[:, 0].tolist() == LABELS[5]


X = PIXELS[0]
WRONG = {
    "a batch is missing": {TEST: None},
    "no pickle": {TRAIN[2]: b"hello"},
    "cut off": {TRAIN[2]: MEMBERS[TRAIN[2]][:-10]},
    "too few labels": {TRAIN[2]: batch(X, [1, 2, 3])},
    "a label of 10": {TRAIN[2]: batch(X, [1, 2, 3, 10])},
    "pictures of another size": {TRAIN[2]: batch(X[:, :3000], [1, 2, 3, 4])},
    "too large a member": {"bomb": bytes(65 * 2**20)},
    "too many members": {f"x{i}": b"" for i in range(65)},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_wrong_archives(tmp_path, change):
    members = {name: data for name, data in {**MEMBERS, **change}.items() if data is not None}
    path = write_archive(tmp_path / "a.tar.gz", members)
    with pytest.raises(FileFormatError, match=r"a\.tar\.gz") as caught:
        cifar10.read_archive(path)
    assert str(caught.value).isprintable()


def test_links_in_the_archive_are_not_followed(tmp_path):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in MEMBERS.items():
            info = tarfile.TarInfo(name)
            if name == TEST:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    with pytest.raises(FileFormatError, match="test_batch is missing"):
        cifar10.read_archive(path)


def test_damaged_archives(tmp_path):
    """A web page, a part, nothing at all, or 99 bytes overwritten anywhere."""
    path = write_archive(tmp_path / "a.tar.gz", MEMBERS)
    data = path.read_bytes()
    for damaged in (b"<html>", data[: len(data) // 2], None):
        path.unlink() if damaged is None else path.write_bytes(damaged)
        with pytest.raises(FileFormatError, match=r"a\.tar\.gz: not a readable"):
            cifar10.read_archive(path)
    refused = 0
    for place in range(0, len(data) - 100, 1500):
        path.write_bytes(data[:place] + b"\xff" * 99 + data[place + 99 :])
        try:
            cifar10.read_archive(path)
        except FileFormatError:
            refused += 1
    assert refused > 0


def test_the_archive_of_the_tests_is_what_python_would_read():
    """The hand-written pickle is a real one: the standard unpickler makes the same of it."""
    import pickle

    expected = pickle.loads(MEMBERS[TEST], encoding="bytes")
    assert np.array_equal(expected[b"data"], PIXELS[5])
    assert expected[b"labels"] == LABELS[5]
    assert hashlib.sha256(expected[b"data"].tobytes()).digest() == hashlib.sha256(PIXELS[5].tobytes()).digest()
