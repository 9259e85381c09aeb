"""What is no weights file, archives that lie, and configs that are too much."""

import io
import json
import os
import struct
import time
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest
from weight_cases import FILES

from minicnn.errors import FileAccessError, FileFormatError
from minicnn.weights import open_weights
from minicnn.weights._json import MAX_DEPTH, MAX_VALUES, parse_config


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "empty"),
        (b"  \n<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x80\x04\x95", "pickle"),
        (b"\x93NUMPY\x01", "NumPy"),
        (b"hello", "neither an HDF5 file nor a .keras archive"),
        (b"PK\x03\x04 and no more", "is cut off or no zip archive: get the file again"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, contents, said):
    path = tmp_path / "weights.h5"
    path.write_bytes(contents)
    with pytest.raises(FileFormatError, match=said) as error:
        open_weights(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("resnet18/data.pkl", "is a PyTorch file, a pickle, .*safetensors.torch.save_file"),
        ("a.npy", "is an archive of NumPy arrays"),
    ],
)
def test_other_archives_are_called_what_they_are(tmp_path, member, said):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, b"")
    with pytest.raises(FileFormatError, match=said):
        open_weights(path)


def test_what_cannot_be_read_is_an_access_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing.h5", "", "pipe"):
        with pytest.raises(FileAccessError):
            open_weights(tmp_path / name)


def test_hdf5_that_is_not_from_keras(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = [1.0]
    with pytest.raises(FileFormatError, match="no Keras file"):
        open_weights(tmp_path / "a.h5")


# Legacy name attributes.


@pytest.mark.parametrize("names", [[1, 2], ["a", "a"], ["missing"], [""]])
def test_bad_layer_names_are_refused(tmp_path, names):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = names
    with pytest.raises(FileFormatError, match=r"a\.h5"):
        open_weights(tmp_path / "a.h5")


def test_opaque_pairs_of_bytes_in_a_legacy_file_are_bfloat16(tmp_path):
    values = np.float32([1.0, -2.5])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = ["a"]
        file.create_group("a").attrs["weight_names"] = ["a/bias:0"]
        file["a/a/bias:0"] = (values.view(np.uint32) >> 16).astype("<u2").view("V2")
    with open_weights(tmp_path / "a.h5") as file:
        (weight,) = file.layers[0].weights
        assert weight.dtype == "bfloat16"
        np.testing.assert_array_equal(weight.read((2,)), values)


def test_a_layer_without_weight_names_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = ["a"]
        file.create_group("a")
    with pytest.raises(FileFormatError, match="'weight_names' of '/a' is missing"):
        open_weights(tmp_path / "a.h5")


def test_a_nested_model_of_very_many_layers_is_no_endless_structure(tmp_path):
    names = [f"m/layer_{i}/kernel:0" for i in range(1500)]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = ["m"]
        group = file.create_group("m")
        group.attrs["weight_names0"], group.attrs["weight_names1"] = names[:700], names[700:]
        for name in names:
            group.create_dataset(name, data=np.ones(1, np.float32))
    with open_weights(tmp_path / "a.h5") as file:
        assert [weight.name for weight in file.layers[0].weights] == names


# Keras 3 groups.


def test_a_cycle_in_a_keras3_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["layers/functional/vars/0"] = [1.0]
        file["layers/functional/layers"] = file["layers"]
    with pytest.raises(FileFormatError, match="contains itself"):
        open_weights(tmp_path / "a.h5")


@pytest.mark.parametrize("extra", [0, 1])
def test_models_nested_deeper_than_anyone_does_are_refused(tmp_path, extra):
    place = "/".join(["layers/functional"] * (32 + extra))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[f"{place}/vars/0"] = [1.0]
    if extra:
        with pytest.raises(FileFormatError, match=r"a\.h5: models are nested more than 32 deep: this is no Keras file"):
            open_weights(tmp_path / "a.h5")
    else:
        with open_weights(tmp_path / "a.h5") as file:
            assert file.layers[-1].path == place


def test_a_gap_in_the_numbers_of_weights_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["layers/dense/vars/0"] = [1.0]
        file["layers/dense/vars/2"] = [1.0]
    with pytest.raises(FileFormatError, match="no weight 1"):
        open_weights(tmp_path / "a.h5")


def test_a_layer_that_is_made_of_layers_shows_their_weights(tmp_path):
    """Attention, for one; what draws random numbers is no weight, nor is what trains the model."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for place in ("query_dense", "output_dense/inner"):
            file[f"layers/attention/{place}/vars/0"] = np.ones((2, 3), np.float32)
        file["layers/attention/seed_generator/vars/0"] = np.uint32([1, 2])
        file.create_group("layers/attention/_softmax/vars")
        file.create_group("layers/flatten/vars")
        file["optimizer/vars/0"] = 3
    with open_weights(tmp_path / "a.h5") as file:
        found = {layer.path: [weight.shape for weight in layer.weights] for layer in file.layers}
    assert found == {
        "layers/attention": [],
        "layers/attention/output_dense/inner": [(2, 3)],
        "layers/attention/query_dense": [(2, 3)],
        "layers/flatten": [],
    }


def test_files_of_keras_2_13_have_another_container(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["_layer_checkpoint_dependencies/dense/vars/0"] = np.float32([1, 2])
    with open_weights(tmp_path / "a.h5") as file:
        assert [(entry.name, entry.path) for entry in file.layers] == [("dense", "layers/dense")]
        np.testing.assert_array_equal(file.layers[0].weights[0].read((2,)), [1, 2])


# Archives.

MEMBERS = {
    info.filename: zipfile.ZipFile(FILES / "tiny_keras3.keras").read(info)
    for info in zipfile.ZipFile(FILES / "tiny_keras3.keras").infolist()
}


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members:
            file.writestr(name, data)


def test_a_doubled_member_is_refused(tmp_path):
    path = tmp_path / "a.keras"
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive(path, [*MEMBERS.items(), ("config.json", b"{}")])
    with pytest.raises(FileFormatError, match="twice"):
        open_weights(path)


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "a/../../x"])
def test_members_that_leave_the_archive_are_refused(tmp_path, name):
    archive(tmp_path / "a.keras", [*MEMBERS.items(), (name, b"x")])
    with pytest.raises(FileFormatError, match="leaves the archive"):
        open_weights(tmp_path / "a.keras")


def test_a_directory_of_very_many_members_is_refused_unread(tmp_path):
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", *[0] * 9, 1, *[0] * 6) + b"a"
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 3, 3, 100_000 * len(entry), 4, 0)  # the count may lie
    (tmp_path / "a.keras").write_bytes(b"PK\3\4" + entry * 100_000 + end)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="lists members in 4700000 bytes"):
        open_weights(tmp_path / "a.keras")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_npz_weights_are_refused_with_a_remedy(tmp_path):
    members = {**MEMBERS, "model.weights.npz": b"x"}
    del members["model.weights.h5"]
    archive(tmp_path / "a.keras", members.items())
    with pytest.raises(FileFormatError, match=r"\.npz are not read: save the model again"):
        open_weights(tmp_path / "a.keras")


def test_a_bomb_of_weights_is_refused_unread(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", MEMBERS["config.json"])
        with file.open("model.weights.h5", "w") as member:
            for _ in range(80):
                member.write(bytes(1 << 20))
    with pytest.raises(FileFormatError, match="far more than it stores"):
        open_weights(path)


def test_a_member_that_claims_more_stored_bytes_than_there_are_is_refused_unread(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(100 << 20))
    data = bytearray((tmp_path / "a.keras").read_bytes())
    place = data.rindex(b"PK\x01\x02") + 20  # of the stored size, in the directory
    data[place : place + 4] = struct.pack("<I", 10 << 20)
    (tmp_path / "a.keras").write_bytes(data)
    with pytest.raises(FileFormatError, match="far more than it stores"):
        open_weights(tmp_path / "a.keras")


def test_a_damaged_member_is_noticed_by_its_checksum(tmp_path):
    buffer = io.BytesIO()
    archive(buffer, MEMBERS.items())
    data = bytearray(buffer.getvalue())
    data[data.index(b"\x89HDF") + 3000] ^= 1
    (tmp_path / "a.keras").write_bytes(data)
    with pytest.raises(FileFormatError, match="CRC"):
        open_weights(tmp_path / "a.keras")


def test_a_member_larger_than_it_claims_is_read_no_further_and_refused(tmp_path):
    size = 10 << 20
    archive(tmp_path / "a.keras", [*MEMBERS.items(), ("minicnn.json", bytes(size))], zipfile.ZIP_DEFLATED)
    data = (tmp_path / "a.keras").read_bytes()
    directory = data.index(b"PK\x01\x02")
    claimed = data[directory:].replace(struct.pack("<I", size), struct.pack("<I", 1000))
    (tmp_path / "a.keras").write_bytes(data[:directory] + claimed)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="CRC"):
        open_weights(tmp_path / "a.keras")
    assert tracemalloc.get_traced_memory()[1] < size
    tracemalloc.stop()


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, compression):
    archive(tmp_path / "a.keras", MEMBERS.items(), compression)
    with pytest.raises(FileFormatError, match="compressed in a way"):
        open_weights(tmp_path / "a.keras")


# JSON.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "expected an object"),
        ('{"a": 1, "a": 2}', "'a' appears twice"),
        ('{"a": NaN}', "not finite"),
        ('{"a": -Infinity}', "not finite"),
        ('{"a": 1e999}', "not finite"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "deep"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "deep"),
        (b"\xff\xfe{", "not valid JSON"),
        (" " * (17 << 20), "16"),
        ('{"a": [' + "{}," * MAX_VALUES + "{}]}", "more than 500,000 values"),
        (b'{"a": [' + b"[]," * MAX_VALUES + b"[]]}", "more than 500,000 values"),
    ],
)
def test_json_that_is_no_config(text, said):
    with pytest.raises(FileFormatError, match=said) as error:
        parse_config(text, "a.keras: config.json")
    assert str(error.value).startswith("a.keras: config.json")
    assert len(str(error.value)) < 300


def test_a_refusal_does_not_repeat_megabytes_of_a_file():
    with pytest.raises(FileFormatError, match="the key") as error:
        parse_config('{"' + "k" * 1_000_000 + '": 1, "' + "k" * 1_000_000 + '": 2}', "x")
    assert len(str(error.value)) < 5000
    assert str(error.value).endswith("characters)")


def test_a_doubled_key_among_very_many_is_found_at_once():
    text = "{" + ",".join(f'"{i:x}":0' for i in range(100_000)) + ',"z":0,"z":0}'
    begin = time.process_time()
    with pytest.raises(FileFormatError, match="'z' appears twice"):
        parse_config(text, "x")
    assert time.process_time() - begin < 5


def test_a_model_nested_twenty_times_is_not_too_deep():
    config = {
        "class_name": "Dense",
        "config": {"name": "d", "inbound_nodes": [{"args": [[{"config": {"shape": [1]}}]]}]},
    }
    for _ in range(20):
        config = {"class_name": "Functional", "config": {"layers": [{"class_name": "Functional", "config": config}]}}
    assert parse_config(json.dumps(config), "x") == config
