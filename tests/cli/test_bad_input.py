"""Bad input: one line that names the thing and the remedy, exit code 2, and nothing written or changed."""

import json
import os
import shutil
import zipfile

import numpy as np
import pytest
from cli_cases import refused, snapshot
from transfer_cases import small_net, write_photos

from minicnn.applications import MobileNet
from minicnn.cli import main

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("in_an_empty_folder")]


def picture(size=(20, 20), colour=(200, 40, 40)):
    from PIL import Image

    return Image.new("RGB", size, colour)


# Folders of photos


def no_folder(root):
    return root / "nothing", "no such folder; check the path"


def a_file(root):
    (root / "photos").write_text("x")
    return root / "photos", "is a file: name the folder"


def an_archive(root):
    with zipfile.ZipFile(root / "photos.zip", "w") as archive:
        archive.writestr("cat/1.jpg", b"")
    return root / "photos.zip", "photos.zip is a ZIP archive: unpack it, and name the folder"


def empty_folder(root):
    (root / "photos").mkdir()
    return root / "photos", "has no class folders"


def one_class(root):
    return write_photos(root / "photos", 4, {"red": (200, 0, 0)}), "one class, 'red': a classifier needs at least two"


def empty_class(root):
    write_photos(root / "photos", 4)
    (root / "photos" / "violet").mkdir()
    return root / "photos", "class 'violet' has no pictures: add some or remove the folder"


def class_without_images(root):
    write_photos(root / "photos", 4)
    (root / "photos" / "violet").mkdir()
    (root / "photos" / "violet" / "notes.txt").write_text("hello")
    return root / "photos", "class 'violet' has no pictures"


def class_of_broken_images(root):
    write_photos(root / "photos", 4)
    for path in (root / "photos" / "red").iterdir():
        path.write_bytes(path.read_bytes()[:150])
    return root / "photos", "no picture of class 'red' can be read"


def one_picture_of_a_class(root):
    write_photos(root / "photos", 4)
    for path in sorted((root / "photos" / "red").iterdir())[1:]:
        path.unlink()
    return root / "photos", "class 'red' has too few different pictures"


def train_without_val(root):
    write_photos(root / "photos" / "train", 4)
    return root / "photos", "has train/ but no val/ beside it"


def train_and_val_disagree(root):
    write_photos(root / "photos" / "train", 4)
    write_photos(root / "photos" / "val", 4, {"red": (200, 0, 0)})
    return root / "photos", "val has no class 'blue', 'green', which train/ has"


FOLDERS = [
    no_folder, a_file, an_archive, empty_folder, one_class, empty_class, class_without_images, class_of_broken_images,
    one_picture_of_a_class, train_without_val, train_and_val_disagree,
]  # fmt: skip


@pytest.mark.parametrize("make", FOLDERS)
def test_folders_that_cannot_be_learned_from(make, tmp_path, net_file, capsys):
    photos, said = make(tmp_path)
    line = refused(capsys, tmp_path, "finetune", photos, "--base", net_file, "--out", tmp_path / "out", "--no-cache")
    assert said in line
    assert "photos" in line or "nothing" in line or "class 'red'" in line


# Files of models and weights


def not_an_h5(path):
    path.write_text("<!doctype html><title>404</title>")
    return "is a web page, not weights: the download failed, get the file again"


def empty_file(path):
    path.write_bytes(b"")
    return "is empty (0 bytes)"


def truncated(path):
    small_net().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return ""


def weights_alone(path):
    small_net().save_weights(path)
    return "holds weights alone"


def a_picture(path):
    picture().save(path, "PNG")
    return "neither an HDF5 file nor a .keras archive"


H5 = [not_an_h5, empty_file, truncated, weights_alone, a_picture]


@pytest.mark.parametrize("make", H5)
@pytest.mark.parametrize("command", ["finetune", "predict", "evaluate", "summary", "extract"])
def test_files_that_are_no_models(make, command, photos, tmp_path, capsys):
    path = tmp_path / "net.h5"
    said = make(path)
    arguments = {
        "finetune": ["finetune", photos, "--base", path, "--out", tmp_path / "out"],
        "extract": ["extract", photos, "--base", path, "--out", tmp_path / "f.npz"],
        "predict": ["predict", path, photos / "red" / "0.png"],
        "evaluate": ["evaluate", path, photos],
        "summary": ["summary", path],
    }[command]
    line = refused(capsys, tmp_path, *arguments)
    assert "net.h5" in line
    assert said in line


@pytest.mark.parametrize("make", [not_an_h5, empty_file, truncated, a_picture])
def test_files_that_cannot_be_inspected(make, tmp_path, capsys):
    path = tmp_path / "net.h5"
    make(path)
    assert "net.h5" in refused(capsys, tmp_path, "inspect", path)


def rewritten(path, change):
    """A .keras file with another config.json."""
    small_net(preprocessing="tf").save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config["config"]["layers"])
    members["config.json"] = json.dumps(config).encode()
    metadata = json.loads(members["metadata.json"]) | {"keras_version": "9.1.0"}
    members["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_class_of_a_newer_keras(tmp_path, capsys):
    path = tmp_path / "new.keras"
    rewritten(path, lambda layers: layers[1].update(class_name="Conv7D"))
    line = refused(capsys, tmp_path, "summary", path)
    assert "Conv7D" in line
    assert "conv1" in line


def test_an_argument_of_a_newer_keras(tmp_path, capsys):
    path = tmp_path / "new.keras"
    rewritten(path, lambda layers: layers[1]["config"].update(quantum_state="up"))
    line = refused(capsys, tmp_path, "summary", path)
    assert "conv1" in line
    assert "quantum_state" in line


def edit_weights(path, change):
    """Weights of a MobileNet with one layer changed in the file."""
    import h5py

    MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3), classes=5).save_weights(path)
    with h5py.File(path, "r+") as file:
        change(file)


def without_layer(file):
    file.attrs["layer_names"] = [name for name in file.attrs["layer_names"] if name not in (b"conv_dw_3", "conv_dw_3")]
    del file["conv_dw_3"]


def with_another_layer(file):
    group = file.create_group("dense_9/dense_9")
    group["kernel"] = np.ones((3, 3), np.float32)
    file["dense_9"].attrs["weight_names"] = [b"dense_9/kernel"]
    names = list(file.attrs["layer_names"])
    file.attrs["layer_names"] = [
        *names[:5],
        type(names[0])(b"dense_9" if isinstance(names[0], bytes) else "dense_9"),
        *names[5:],
    ]


def with_another_shape(file):
    place = next(name for name in _datasets(file) if "conv_pw_3" in name and name.rstrip(":0").endswith("kernel"))
    del file[place]
    file[place] = np.ones((1, 1, 3, 9), np.float32)


def _datasets(file):
    found = []
    file.visititems(lambda name, item: found.append(name) if hasattr(item, "dtype") else None)
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [(without_layer, "conv_dw_3"), (with_another_layer, "dense_9"), (with_another_shape, "(1, 1, 3, 9) in the file")],
)
def test_weights_that_do_not_fit_their_architecture(change, said, photos, tmp_path, capsys):
    path = tmp_path / "thin.h5"
    edit_weights(path, change)
    options = ["--base", "mobilenet", "--weights", path, "--size", 32]
    line = refused(capsys, tmp_path, "finetune", photos, *options, "--out", tmp_path / "out")
    assert "thin.h5" in line
    assert said in line


def test_weights_of_another_architecture(photos, tmp_path, capsys):
    path = tmp_path / "thin.h5"
    MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3)).save_weights(path)
    line = refused(capsys, tmp_path, "finetune", photos, "--base", "vgg16", "--weights", path)
    assert "MobileNet, alpha 0.25" in line
    assert "use base mobilenet" in line


@pytest.mark.filterwarnings("default")
def test_not_a_number_in_the_weights(photos, tmp_path, capsys):
    model = small_net(preprocessing="tf")
    kernel, bias = model.get_layer("conv1").get_weights()
    model.get_layer("conv1").set_weights([np.full_like(kernel, np.nan), bias])
    path = tmp_path / "nan.keras"
    model.save(path)
    line = refused(capsys, tmp_path, "finetune", photos, "--base", path, "--out", tmp_path / "out", "--no-cache")
    assert line.endswith("the base gives features that are not finite: its weights (nan.keras) are damaged")


# Arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--folds", "9"], "class 'blue' has too few pictures (8) for 9 folds: add some or ask for at most 8"),
        (
            ["--unfreeze", "covn2"],
            "no layer 'covn2' in the model; similar names: conv2, conv1; the last layers with weights: conv2, conv1 (",
        ),
        (["--unfreeze", "relu2"], "no layer from relu2 on has weights to train: name an earlier one"),
        (["--unfreeze", "-3"], "policy: unfreeze must be a whole number of at least 1; it is -3"),
        (["--size", "30"], "takes pictures of 24 × 24 pixels"),
    ],
)
def test_arguments_that_photos_or_base_do_not_allow(arguments, said, photos, net_file, tmp_path, capsys):
    options = ["--base", net_file, "--out", tmp_path / "out", "--no-cache"]
    assert said in refused(capsys, tmp_path, "finetune", photos, *options, *arguments)


def test_an_unknown_base(photos, tmp_path, capsys):
    assert "no base 'lenet'" in refused(capsys, tmp_path, "finetune", photos, "--base", "lenet")


def test_a_place_for_results_that_is_a_file(photos, net_file, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    line = refused(capsys, tmp_path, "finetune", photos, "--base", net_file, "--out", tmp_path / "out")
    assert line.endswith("out is a file: name a folder for the results")


def a_folder(root):
    (root / "f.npz").mkdir()
    return root / "f.npz", "f.npz is a folder: give the name of a file"


def a_pipe(root):
    os.mkfifo(root / "f.npz")
    return root / "f.npz", "f.npz is a device or a pipe: give the name of a file"


def of_another_kind(root):
    return root / "f.csv", "--out must end in .npz"


def below_a_file(root):
    (root / "file").write_text("")
    return root / "file" / "new" / "f.npz", "file is a file: name a folder for the results"


@pytest.mark.parametrize("make", [a_folder, a_pipe, of_another_kind, below_a_file])
def test_a_place_for_features_is_looked_at_first(make, photos, net_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("minicnn.data.scan_folder", lambda *_: pytest.fail("began to work"))
    out, said = make(tmp_path)
    assert said in refused(capsys, tmp_path, "extract", photos, "--base", net_file, "--out", out)


def test_a_failure_while_writing_leaves_what_was_there(photos, net_file, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "model.keras").write_text("an earlier model")
    before = snapshot(tmp_path)

    def fail(report):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minicnn.report.outputs.render", fail)
    command = ["finetune", photos, "--base", net_file, "--out", out, "--epochs", 1, "--no-cache"]
    assert main([str(word) for word in command]) == 2
    assert "No space left on device" in capsys.readouterr().err
    (kept,) = out.glob("kept-*")
    shutil.rmtree(kept)
    assert snapshot(tmp_path) == before
