"""Models in use on pictures: what cannot be predicted is named and does not stop the rest; swapped arguments."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from cli_cases import refused
from PIL import Image
from transfer_cases import SIDE, small_net, write_photos

from minicnn.cli import main
from minicnn.preparation import ResizeRule

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("in_an_empty_folder")]


def test_pictures_that_cannot_be_predicted(net_file, tmp_path, capsys):
    assert "no such file" in refused(capsys, tmp_path, "predict", net_file, tmp_path / "missing.jpg")
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in refused(capsys, tmp_path, "predict", net_file, tmp_path / "empty")
    (tmp_path / "page.jpg").write_text("<html>")
    assert "page.jpg" in refused(capsys, tmp_path, "predict", net_file, "page.jpg")
    assert "is empty" in refused(capsys, tmp_path, "predict", net_file, "")
    (tmp_path / "photos.zip").write_bytes(b"PK\x03\x04")
    assert "is a ZIP archive, not JPEG, " in (line := refused(capsys, tmp_path, "predict", net_file, "photos.zip"))
    assert line.endswith(": unpack it")
    assert "https://a.org/b.jpg is an address: " in refused(
        capsys, tmp_path, "predict", net_file, "https://a.org/b.jpg"
    )
    assert "is a model, not a picture: " in refused(capsys, tmp_path, "predict", net_file, net_file)


def test_what_cannot_be_predicted_does_not_stop_the_others(photos, net_file, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    names = [tmp_path / "missing.jpg", tmp_path / "empty", photos / "red" / "0.png"]
    assert main(["predict", net_file, *map(str, names)]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"{names[2]}  class ")
    assert out.count("\n") == 1
    (empty, missing) = err.splitlines()
    assert empty.startswith(f"minicnn: error: {names[1]} holds no pictures")
    assert missing.startswith(f"minicnn: error: {names[0]}: no such file")


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0"


def test_what_lies_among_pictures_and_is_none_is_named(photos, net_file, tmp_path, capsys):
    folder = write_photos(tmp_path / "new", 1)
    (folder / "IMG_1.HEIC").write_bytes(HEIC)
    (folder / "Thumbs.db").write_bytes(b"clutter")
    (folder / "gone.jpg").symlink_to(tmp_path / "gone.jpg")
    (folder / "there.png").symlink_to(photos / "red" / "0.png")
    os.mkfifo(folder / "pipe.jpg")
    assert main(["predict", net_file, str(folder), "--top", "1"]) == 0
    out, err = capsys.readouterr()
    assert [Path(line.split()[0]).name for line in out.splitlines()] == ["0.png", "0.png", "0.png", "there.png"]
    assert [line.partition(": ")[2] for line in err.splitlines()] == [
        f"left out {folder}/gone.jpg: is a link that leads nowhere: remove it",
        f"left out {folder}/pipe.jpg: is a device or pipe, not a picture: remove it",
        f"left out {folder}/IMG_1.HEIC: is a HEIC or AVIF picture, not JPEG, PNG, WEBP, BMP, GIF or TIFF: "
        "convert it to JPEG or remove it",
    ]


def test_a_folder_of_heic_alone(photos, net_file, tmp_path, capsys):
    folder = tmp_path / "phone" / "cat"
    folder.mkdir(parents=True)
    (folder / "IMG_1.HEIC").write_bytes(HEIC)
    assert main(["predict", net_file, str(folder)]) == 2
    left_out, error = capsys.readouterr().err.splitlines()
    assert "IMG_1.HEIC: is a HEIC or AVIF picture, not JPEG" in left_out
    assert "cat holds no pictures (JPEG, " in error
    (tmp_path / "phone" / "dog").mkdir()
    line = refused(capsys, tmp_path, "finetune", folder.parent, "--base", net_file)
    assert "class 'cat', 'dog' has no pictures (" in line
    assert "IMG_1.HEIC: is a HEIC or AVIF picture" in line


def test_swapped_arguments_and_folders_in_place_of_models(photos, net_file, tmp_path, capsys):
    line = refused(capsys, tmp_path, "predict", photos / "red" / "0.png", net_file)
    assert line.endswith(
        "0.png is a picture, neither an HDF5 file nor a .keras archive: the model is named first, then pictures"
    )
    for command in ("predict", "evaluate"):
        line = refused(capsys, tmp_path, command, photos, net_file)
        assert line.endswith("is a folder of pictures: the model is named first, then pictures")
    (tmp_path / "nothing").mkdir()
    line = refused(capsys, tmp_path, "predict", tmp_path / "nothing", net_file)
    assert line.endswith("nothing is a folder: name a .keras, .h5 or .safetensors file")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.keras").write_bytes(b"")
    for command in (["evaluate", tmp_path / "out", photos], ["inspect", tmp_path / "out"]):
        line = refused(capsys, tmp_path, *command)
        assert line.endswith(f"out is a folder: name the model in it, {tmp_path}/out/model.keras")


@pytest.mark.parametrize("command", ["summary", "inspect"])
def test_the_json_of_an_architecture(command, tmp_path, capsys):
    (tmp_path / "net.json").write_text(small_net().to_json())
    line = refused(capsys, tmp_path, command, tmp_path / "net.json")
    assert "net.json is JSON, no weights: if Keras wrote it, model_from_json(text) in Python builds" in line


def test_a_folder_of_pictures_with_one_in_it_that_cannot_be_opened(photos, net_file, tmp_path, capsys, monkeypatch):
    scandir = os.scandir

    def without_permission(path):
        if Path(path) == photos / "red":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", without_permission)
    assert main(["predict", net_file, str(photos)]) == 2
    out, err = capsys.readouterr()
    assert out.count("\n") == 16
    assert err == f"minicnn: error: {photos / 'red'}: cannot be read (Permission denied): check its permissions\n"


def test_a_model_that_does_not_say_how_pixels_are_prepared(photos, tmp_path, capsys):
    small_net().save(tmp_path / "silent.keras")
    line = refused(capsys, tmp_path, "predict", tmp_path / "silent.keras", photos / "red" / "0.png")
    assert line.endswith("add --preprocessing caffe|tf|torch|unit|none, which --help explains")
    assert main(["predict", "--help"]) == 0
    assert "unit (x / 255)" in " ".join(capsys.readouterr().out.split())


def test_a_model_that_was_trained_on_pixels_between_0_and_1(photos, tmp_path, capsys):
    """What most programs that use ImageDataGenerator(rescale=1/255) wrote."""
    model = small_net()
    model.save(tmp_path / "plain.keras")
    picture = photos / "red" / "0.png"
    pixels = ResizeRule(SIDE).apply_to_array(np.asarray(Image.open(picture).convert("RGB")))
    expected = model.predict(pixels[None] / np.float32(255))[0]
    assert main(["predict", str(tmp_path / "plain.keras"), str(picture), "--preprocessing", "unit", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    found = entry["classes"][0]
    assert found["name"] == f"class {expected.argmax()}"
    assert found["probability"] == pytest.approx(expected.max(), abs=1e-5)


@pytest.mark.filterwarnings("default")
def test_another_preprocessing_than_the_file_says_is_told(photos, net_file, capsys):
    for mode in ("tf", "none"):
        assert main(["predict", net_file, str(photos / "red" / "0.png"), "--preprocessing", mode]) == 0
        said = f"pixels are prepared as 'tf' for {net_file}; 'none' is used instead, as you chose"
        assert capsys.readouterr().err == ("" if mode == "tf" else f"minicnn: warning: {said}\n")


def test_a_model_of_something_else_than_pictures_is_called_so_first(tmp_path, photos, capsys):
    from minicnn.layers import Dense, Input
    from minicnn.models import Sequential

    Sequential([Input((7,)), Dense(2, activation="softmax")]).save(tmp_path / "rows.keras")
    line = refused(capsys, tmp_path, "predict", tmp_path / "rows.keras", photos / "red" / "0.png")
    assert "takes inputs of shape (7,); pictures are (height, width, 3)" in line


@pytest.mark.parametrize("nested", [False, True])
def test_a_model_that_gives_logits(nested, photos, tmp_path, capsys):
    """What programs for TensorFlow often save: Dense(classes), and the softmax in the loss alone."""
    from minicnn.layers import Dense, Softmax
    from minicnn.models import Model, Sequential

    net = small_net(preprocessing="tf")
    logits = Model(net.inputs, Dense(3, name="new_head")(net.get_layer("pool").output))
    whole = Model(net.inputs, Softmax()(logits.outputs[0]))
    saved = Sequential([logits]) if nested else logits
    logits.metadata = saved.metadata = whole.metadata = net.metadata
    saved.save(tmp_path / "logits.keras")
    whole.save(tmp_path / "whole.keras")
    pictures = [str(photos / "red" / "0.png"), str(photos / "red" / "1.png")]
    assert main(["predict", "whole.keras", *pictures, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    expected = json.loads(out)
    assert main(["predict", "logits.keras", *pictures, "--json"]) == 0
    out, err = capsys.readouterr()
    for found, right in zip(json.loads(out), expected, strict=True):
        for one, other in zip(found["classes"], right["classes"], strict=True):
            assert one["name"] == other["name"]
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-6)
    said = "minicnn: the last layer of logits.keras has no activation: its outputs are taken for logits\n"
    assert err == said


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_a_model_with_one_output_tells_two_classes_apart(activation, photos, tmp_path, capsys):
    from minicnn.layers import Dense
    from minicnn.models import Model

    net = small_net(preprocessing="tf", class_names=["blue", "red"])
    model = Model(net.inputs, Dense(1, activation=activation, name="new_head")(net.get_layer("pool").output))
    model.metadata = net.metadata
    model.save(tmp_path / "binary.keras")
    picture = photos / "red" / "0.png"
    prepared = model.prepare([np.asarray(Image.open(picture).convert("RGB"))])
    value = float(model.predict(prepared)[0, 0])
    probability = value if activation else 1 / (1 + np.exp(-value))
    assert main(["predict", "binary.keras", str(picture), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    found = {c["name"]: c["probability"] for c in entry["classes"]}
    assert found == {"blue": pytest.approx(1 - probability), "red": pytest.approx(probability)}
    folder = tmp_path / "p" / "red"
    folder.mkdir(parents=True)
    (folder / "0.png").write_bytes(picture.read_bytes())
    assert main(["evaluate", "binary.keras", str(tmp_path / "p"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == float(probability > 0.5)


def test_a_model_that_is_no_classifier(photos, tmp_path, capsys):
    from minicnn.models import Model

    model = small_net()
    Model(model.inputs, model.get_layer("relu2").output).save(tmp_path / "map.keras")
    line = refused(capsys, tmp_path, "predict", tmp_path / "map.keras", photos / "red" / "0.png")
    assert "is no classifier: its outputs have shapes (12, 12, 8)" in line


def test_classes_that_the_model_does_not_know(photos, tmp_path, capsys):
    model = small_net(classes=2, preprocessing="tf", class_names=["red", "violet"])
    model.save(tmp_path / "two.keras")
    line = refused(capsys, tmp_path, "evaluate", tmp_path / "two.keras", photos)
    assert "'blue', 'green', which the model does not know" in line


def test_classes_that_differ_by_capital_letters_alone(photos, tmp_path, capsys):
    model = small_net(classes=3, preprocessing="tf", class_names=["Red", "green", "BLUE"])
    model.save(tmp_path / "three.keras")
    line = refused(capsys, tmp_path, "evaluate", tmp_path / "three.keras", photos)
    assert (
        "'blue', 'red', which the model does not know: rename 'blue' to 'BLUE', 'red' to 'Red'; known: 'Red'," in line
    )
