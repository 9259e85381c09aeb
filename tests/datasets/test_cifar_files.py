"""CIFAR-100, and the binary and unpacked forms of both sets."""

import numpy as np
import pytest
from cifar_archives import TEST, TRAIN, batch, write_archive

from minicnn.datasets import cifar10, cifar100
from minicnn.errors import ArgumentError, FileFormatError

RNG = np.random.default_rng(1)
PIXELS = RNG.integers(0, 256, (6, 3, 3072), np.uint8)
TENS = RNG.integers(0, 10, (6, 3, 1), np.uint8)
FINE, COARSE = RNG.integers(0, 100, (2, 3), np.uint8), RNG.integers(0, 20, (2, 3), np.uint8)


def binary10():
    names = [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)]
    names.append("cifar-10-batches-bin/test_batch.bin")
    return {name: np.hstack([y, x]).tobytes() for name, x, y in zip(names, PIXELS, TENS)}


def of_100(binary):
    parts = zip(("train", "test"), PIXELS, COARSE, FINE)
    if binary:
        return {f"cifar-100-binary/{p}.bin": np.hstack([c[:, None], f[:, None], x]).tobytes() for p, x, c, f in parts}
    return {
        f"cifar-100-python/{p}": batch(x, [], coarse_labels=c.tolist(), fine_labels=f.tolist()) for p, x, c, f in parts
    }


def unpack(folder, members):
    for name, data in members.items():
        (folder / name.rpartition("/")[2]).write_bytes(data)
    return folder


def test_the_binary_form_of_cifar10(tmp_path):
    pickled = {name: batch(x, y.ravel().tolist()) for name, x, y in zip([*TRAIN, TEST], PIXELS, TENS)}
    expected = cifar10.read_archive(write_archive(tmp_path / "p.tar.gz", pickled))
    for path in (write_archive(tmp_path / "b.tar.gz", binary10()), unpack(tmp_path, binary10())):
        found = cifar10.read_archive(path)
        assert all(np.array_equal(a, b) and a.dtype == b.dtype for f, e in zip(found, expected) for a, b in zip(f, e))
    assert expected[0][0].shape == (15, 32, 32, 3)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_cifar100(tmp_path, binary, packed):
    members = of_100(binary)
    path = write_archive(tmp_path / "a.tar.gz", members) if packed else unpack(tmp_path, members)
    for mode, labels in (("fine", FINE), ("coarse", COARSE)):
        (x_train, y_train), (x_test, y_test) = cifar100.read_archive(path, mode)
        assert (x_train.shape, y_train.dtype) == ((3, 32, 32, 3), np.uint8)
        assert (y_train[:, 0].tolist(), y_test[:, 0].tolist()) == (labels[0].tolist(), labels[1].tolist())
        assert x_test[1, 2, 3].tolist() == [PIXELS[1, 1, 1024 * colour + 2 * 32 + 3] for colour in range(3)]


def test_names_of_classes():
    assert len(cifar100.CLASS_NAMES) == 100
    assert len(cifar100.KINDS) == 20
    assert sorted(cifar100.CLASS_NAMES) == list(cifar100.CLASS_NAMES)
    assert sorted(cifar100.KINDS) == list(cifar100.KINDS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cifar-100-binary/test.bin": None}, r"no CIFAR-100 archive for Python or binary, test\.bin is missing"),
        ({"cifar-100-binary/test.bin": bytes(3073)}, r"test\.bin: 3,073 bytes are no pictures of 3,074 each"),
        ({"cifar-100-binary/test.bin": b""}, r"test\.bin: 0 bytes are no pictures"),
        ({"cifar-100-binary/test.bin": b"\x00\x64" + bytes(3072)}, r"has label 100, classes are 0 to 99"),
    ],
)
def test_wrong_binary_files(tmp_path, change, said):
    members = {name: data for name, data in {**of_100(True), **change}.items() if data is not None}
    with pytest.raises(FileFormatError, match=said):
        cifar100.read_archive(write_archive(tmp_path / "a.tar.gz", members))


def test_load_data_asks_for_the_published_file(tmp_path, monkeypatch):
    path = write_archive(tmp_path / "a.tar.gz", of_100(False))
    calls = []
    monkeypatch.setattr(cifar100, "fetch", lambda *call: calls.append(call) or path)
    (_, y), _ = cifar100.load_data("coarse")
    assert y[:, 0].tolist() == COARSE[0].tolist()
    ((url, name, sha256, folder),) = calls
    assert (url.rpartition("/")[2], name, len(sha256), folder) == (name, "cifar-100-python.tar.gz", 64, "datasets")
    with pytest.raises(ArgumentError, match="label_mode must be one of 'fine', 'coarse'; it is 'both'"):
        cifar100.load_data("both")
