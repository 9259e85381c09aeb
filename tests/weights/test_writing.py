"""The four formats that are written: read back bit for bit, laid out as Keras reads them, never left in pieces."""

import json
import os
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
from weight_cases import FILES, golden_spec

from minicnn.errors import ArgumentError, FileAccessError, MissingExtraError, ShapeError
from minicnn.weights import (
    LayerSpec,
    WeightSpec,
    match,
    open_weights,
    save_keras_archive,
    save_keras_weights,
    save_legacy_model,
    save_legacy_weights,
)

CONFIG = {"class_name": "Sequential", "config": {"name": "m", "layers": []}}
METADATA = {"class_names": ["rose", "Löwenzahn"], "minicnn_version": "0.1.0"}
WRITERS = {
    "legacy weights": save_legacy_weights,
    "legacy model": lambda path, spec, arrays: save_legacy_model(path, spec, arrays, CONFIG, {"loss": "mse"}, METADATA),
    "Keras 3 weights": save_keras_weights,
    "Keras 3 archive": lambda path, spec, arrays: save_keras_archive(path, spec, arrays, CONFIG, METADATA),
}
GOLDEN = [
    "tiny_legacy_full.h5",
    "tiny_nested_partly_frozen_legacy.h5",
    "tiny_nested.keras",
    "tiny_user_style.keras",
    "official_slash_names.h5",
    "tiny_chunked_layer_names.h5",
    "tiny_chunked_weight_names.h5",
]


def small(trainable=True):
    dense = LayerSpec("fc", "Dense", [WeightSpec("kernel", (2, 3), trainable), WeightSpec("bias", (3,))])
    return LayerSpec("m", "Sequential", layers=[dense, LayerSpec("relu", "ReLU")])


ARRAYS = [np.arange(6, dtype="f4").reshape(2, 3), np.float32([7, 8, 9])]


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("file_format", WRITERS)
def test_every_format_reads_back(tmp_path, name, file_format):
    spec, _ = golden_spec(name)
    with open_weights(FILES / name) as file:
        arrays = [array for _, array in match(file, spec).read()]
    path = tmp_path / "written"
    WRITERS[file_format](path, spec, arrays)
    with open_weights(path) as file:
        assert file.format == file_format
        plan = match(file, spec)
        assert plan.report.matched_by == "name"
        for (_, found), array in zip(plan.read(), arrays, strict=True):
            np.testing.assert_array_equal(found, array)
    assert os.listdir(tmp_path) == ["written"]


@pytest.mark.parametrize("file_format", ["legacy model", "Keras 3 archive"])
def test_config_and_metadata_travel_along(tmp_path, file_format):
    WRITERS[file_format](tmp_path / "a", small(), ARRAYS)
    with open_weights(tmp_path / "a") as file:
        assert file.config == CONFIG
        assert file.metadata == METADATA
        assert file.training_config == ({"loss": "mse"} if file_format == "legacy model" else None)


def test_the_legacy_layout_is_that_of_keras(tmp_path):
    save_legacy_weights(tmp_path / "a.h5", small(), ARRAYS)
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file.attrs["layer_names"]) == [b"fc", b"relu"]
        assert list(file["fc"].attrs["weight_names"]) == [b"fc/kernel:0", b"fc/bias:0"]
        assert file["relu"].attrs["weight_names"].shape == (0,)
        assert file["fc/fc/kernel:0"].dtype == "<f4"
        assert file["fc/fc/kernel:0"].chunks is None
        assert file.attrs["backend"] == "tensorflow"


def test_frozen_weights_are_listed_last(tmp_path):
    save_legacy_weights(tmp_path / "a.h5", small(trainable=False), ARRAYS)
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file["fc"].attrs["weight_names"]) == [b"fc/bias:0", b"fc/kernel:0"]


def test_long_lists_of_names_are_split_like_keras_does(tmp_path):
    layers = [LayerSpec(f"{i:03d}" + "x" * 700, "ReLU") for i in range(100)]
    save_legacy_weights(tmp_path / "a.h5", LayerSpec("m", "Sequential", layers=layers), [])
    with h5py.File(tmp_path / "a.h5") as file:
        assert sorted(name for name in file.attrs if name.startswith("layer")) == ["layer_names0", "layer_names1"]
        assert len(file.attrs["layer_names0"]) == 50


def test_the_archive_is_that_of_keras(tmp_path):
    save_keras_archive(tmp_path / "a.keras", small(), ARRAYS, CONFIG, METADATA)
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "minicnn.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(archive.read("config.json")) == CONFIG
        with h5py.File(archive.open("model.weights.h5")) as file:
            assert file["layers/dense/vars"].attrs["name"] == "fc"
            assert file["layers/re_lu/vars"].attrs["name"] == "relu"
            assert file["vars"].attrs["name"] == "m"
            np.testing.assert_array_equal(file["layers/dense/vars/1"], ARRAYS[1])


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(
    ("spec", "arrays", "error"),
    [
        (small(), ARRAYS[:1], ShapeError),
        (small(), [ARRAYS[0].T, ARRAYS[1]], ShapeError),
        (small(), [ARRAYS[0].astype(object), ARRAYS[1]], ShapeError),
        (LayerSpec("m", "Sequential", layers=[LayerSpec("../x", "ReLU")]), [], ArgumentError),
        (LayerSpec("m", "Sequential", layers=[LayerSpec("/x", "ReLU")]), [], ArgumentError),
    ],
)
def test_wrong_arguments_leave_the_old_file(tmp_path, write, spec, arrays, error):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(error):
        write(path, spec, arrays)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_without_h5py_saving_says_to_install_it_and_leaves_no_file(tmp_path, monkeypatch, write):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"writing Keras files needs h5py, .*: pip install h5py$"):
        write(tmp_path / "a", small(), ARRAYS)
    assert os.listdir(tmp_path) == []


def test_a_config_that_is_no_json_is_refused(tmp_path):
    for value in (float("nan"), object()):
        with pytest.raises(ArgumentError, match="JSON"):
            save_keras_archive(tmp_path / "a.keras", small(), ARRAYS, {"a": value})
    assert os.listdir(tmp_path) == []


FULL_DISK = """
import resource, sys, numpy as np
from minicnn.errors import MinicnnError
from minicnn.weights import LayerSpec, WeightSpec, save_keras_archive, save_legacy_weights
small = [LayerSpec(f"fc{i}", "Dense", [WeightSpec("kernel", (10, 10)), WeightSpec("bias", (10,))]) for i in range(40)]
spec = LayerSpec("m", "Sequential", layers=[*small, LayerSpec("fc", "Dense", [WeightSpec("kernel", (1000, 1000))])])
arrays = [np.zeros(shape, "f4") for _ in small for shape in ((10, 10), (10,))] + [np.zeros((1000, 1000), "f4")]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    if sys.argv[1].endswith("keras"):
        save_keras_archive(sys.argv[1], spec, arrays, {})
    else:
        save_legacy_weights(sys.argv[1], spec, arrays)
except MinicnnError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("name", ["a.h5", "a.keras"])
@pytest.mark.parametrize("limit", [0, 2_000, 10_000, 60_000, 3_000_000, 4_002_500])
def test_a_full_disk_leaves_the_old_file(tmp_path, name, limit):
    path = tmp_path / name
    path.write_text("old")
    command = [sys.executable, "-c", FULL_DISK, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(f"FileAccessError {path} cannot be written")
    assert done.stderr == ""
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [name]


def test_folders_and_missing_folders(tmp_path):
    with pytest.raises(FileAccessError, match="folder"):
        save_legacy_weights(tmp_path, small(), ARRAYS)
    with pytest.raises(FileAccessError, match="cannot be written"):
        save_legacy_weights(tmp_path / "no" / "a.h5", small(), ARRAYS)


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "b.h5").write_text("old")
    (tmp_path / "a.h5").symlink_to(tmp_path / "b.h5")
    save_legacy_weights(tmp_path / "a.h5", small(), ARRAYS)
    assert (tmp_path / "a.h5").is_symlink()
    with open_weights(tmp_path / "b.h5") as file:
        assert file.format == "legacy weights"


@pytest.mark.parametrize("moment", range(6))
def test_a_killed_writer_leaves_the_old_file(tmp_path, moment):
    path = tmp_path / "a.h5"
    save_legacy_weights(path, small(), ARRAYS)
    before = path.read_bytes()
    script = f"""
import os, minicnn.weights.atomic as atomic, minicnn.weights.writing as writing
from minicnn.weights.hdf5.writer import HDF5Writer
calls = iter(range({moment}))
def count(function):
    def counted(*arguments):
        if next(calls, None) is None:
            os._exit(9)
        return function(*arguments)
    return counted
HDF5Writer.dataset = count(HDF5Writer.dataset)
os.fsync, os.replace = count(os.fsync), count(os.replace)
import numpy as np
from minicnn.weights import LayerSpec, WeightSpec
dense = LayerSpec("fc", "Dense", [WeightSpec("kernel", (2, 3)), WeightSpec("bias", (3,))])
writing.save_legacy_weights({str(path)!r}, LayerSpec("m", "Sequential", layers=[dense]), [np.ones((2, 3)), np.ones(3)])
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=60)
    if moment < 4:  # two datasets, fsync, rename
        assert done.returncode == 9
        assert path.read_bytes() == before
    else:
        assert path.read_bytes() != before
        with open_weights(path) as file:
            np.testing.assert_array_equal(file.layers[0].weights[1].read((3,)), np.ones(3))


def test_what_a_killed_writer_left_long_ago_is_removed(tmp_path):
    names = [".a.h5.0123456789ab.tmp", ".a.h5.0123456789ac.h5", ".b.h5.0123456789ab.tmp", ".a.h5.bak"]
    for name in [*names, ".a.h5.fedcba987654.tmp"]:
        (tmp_path / name).write_text("half")
    for name in names:
        os.utime(tmp_path / name, (0, 0))
    save_legacy_weights(tmp_path / "a.h5", small(), ARRAYS)
    left = {".b.h5.0123456789ab.tmp", ".a.h5.bak", ".a.h5.fedcba987654.tmp", "a.h5"}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_names_that_lead_elsewhere_are_refused_at_every_depth(tmp_path):
    inner = LayerSpec("inner", "Sequential", layers=[LayerSpec("../x", "Dense", [WeightSpec("kernel", (2, 3))])])
    for write, name in ((save_legacy_weights, "a.h5"), (save_keras_weights, "a.weights.h5")):
        with pytest.raises(ArgumentError, match="rename the layer"):
            write(tmp_path / name, LayerSpec("m", "Sequential", layers=[inner]), [np.ones((2, 3))])
    assert os.listdir(tmp_path) == []
