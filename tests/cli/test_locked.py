"""Files and folders without permissions, and names that are empty: one line, whatever looks at them first."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from cli_cases import refused

from minicnn.cli import doctor
from minicnn.cli.classifier import load_classifier
from minicnn.cli.places import result_folder
from minicnn.cli.weights import place_of
from minicnn.data import scan_folder
from minicnn.errors import FileAccessError
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.weights.atomic import check_target, replacing
from minicnn.weights.fetch import find
from minicnn.weights.others import what_a_folder_is
from minicnn.weights.registry import class_index

pytestmark = [
    pytest.mark.numpy_only,
    pytest.mark.skipif(not hasattr(os, "setresuid"), reason="this system has other permissions"),
]
NOBODY = 65534


@pytest.fixture
def place(monkeypatch):
    """A folder of one's own with `shut`, which may not be entered, and `blind`, which may not be listed."""
    root = Path(tempfile.mkdtemp())
    (root / "shut" / "models").mkdir(parents=True)
    (root / "blind").mkdir()
    (root / "net.h5").write_bytes(b"\x89HDF")
    root.chmod(0o777)
    (root / "shut").chmod(0)
    (root / "blind").chmod(0o333)
    (root / "net.h5").chmod(0)
    monkeypatch.chdir(root)
    monkeypatch.setenv("MINICNN_CACHE", str(root / "shut"))
    root_runs = os.getuid() == 0
    if root_runs:  # to whom nothing is shut
        os.setresuid(NOBODY, NOBODY, 0)
    yield root
    if root_runs:
        os.setresuid(0, 0, 0)
    (root / "shut").chmod(0o700)
    (root / "blind").chmod(0o700)
    shutil.rmtree(root)


def test_a_model_that_may_not_be_read(place):
    with pytest.raises(FileAccessError, match=r"^net.h5 cannot be opened: Permission denied"):
        load_classifier("net.h5")
    with pytest.raises(FileAccessError, match=r"^shut/net.h5 "):
        load_classifier("shut/net.h5")
    assert what_a_folder_is("shut").startswith("a folder: name ")


def test_photos_that_may_not_be_seen(place):
    with pytest.raises(FileAccessError, match=r"^shut/photos: no such folder"):
        scan_folder("shut/photos")


@pytest.mark.parametrize("out", ["shut", "shut/new", "shut/new/deep"])
def test_results_that_may_not_be_written(out, place):
    with pytest.raises(FileAccessError, match=rf"^{out} cannot be written: .*shut is not writable; name"):
        result_folder(out, "photos")


def test_a_file_that_may_not_be_written(place):
    check_target("shut/a.h5")  # which only writing can tell
    refusal = pytest.raises(FileAccessError, match="cannot be written: Permission denied; no file was changed")
    with refusal, replacing("shut/a.h5") as temporary:
        temporary.write_bytes(b"")


def test_a_folder_whose_contents_may_be_lost(place):
    with pytest.raises(FileAccessError, match=r"^blind cannot be read, so what is in it may be lost: name"):
        result_folder("blind", "photos")


def test_earlier_results_that_may_not_be_seen(place):
    (place / "photos-model").mkdir()
    (place / "photos-model").chmod(0)
    with pytest.raises(FileAccessError, match=r"^photos-model cannot be written: photos-model is not writable"):
        result_folder(None, "photos")


def test_a_cache_that_may_not_be_entered(place):
    assert find(class_index()) is None
    assert place_of(class_index()) is None
    FeatureCache(place / "shut" / "features", limit=1).trim()
    assert "NOT READABLE" in doctor._size(place / "shut")
    assert "NOT WRITABLE" in doctor._writable(place / "shut" / "kernels")
    assert doctor._size(place / "shut" / "kernels") == "0 files, 0.0 MiB"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", "", "photos"], "the path of a file is empty: name a .keras, "),
        (["predict", "net.keras", ""], "the name of a picture is empty; name a file or a folder"),
        (["evaluate", "net.keras", ""], "the name of a folder is empty: name the one with the pictures"),
        (["finetune", "", "--base", "net.keras"], "the name of a folder is empty: name the one with the pictures"),
        (["finetune", "photos", "--out", ""], "the name after --out is empty: name a folder for the results"),
        (["demo", "--out", ""], "the name after --out is empty: name a folder for the results"),
        (["extract", "photos", "--out", ""], "--out must end in .npz; it is ''"),
        (["export", "net.keras", ""], "export: '' must end in .onnx"),
        (
            ["finetune", "net.keras"],
            "net.keras is a network and no folder: name that of the photos, and the network",
        ),
        (["extract", "ResNet50", "--out", "a.npz"], "ResNet50 is a network and no folder: name that of the photos"),
        (["summary", "https://x.org/a.h5"], "https://x.org/a.h5 is an address: minicnn reads files, download it first"),
    ],
)
def test_names_that_are_none(words, said, photos, net_file, tmp_path, monkeypatch, capsys):
    shutil.copy(net_file, tmp_path / "net.keras")
    shutil.copytree(photos, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    assert f"error: {said}" in refused(capsys, tmp_path, *words)
